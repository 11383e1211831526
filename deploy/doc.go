// Package deploy holds the tests of what runs Meterkey in containers: docker-compose.yml, the Dockerfile, and the files here
// that they use.
package deploy
