// Package e2e holds the tests that drive whole data requests: the real worker program, a real Temporal server, a real
// Chromium, and the practice utilities.
package e2e
