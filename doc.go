// Package meterkey is the language of Meterkey: what a data request, its status and reason, a challenge and a meter are, and
// what everything is called on the wire.
//
// A data request asks one utility customer for access to their account. A Go backend imports this package and package sdk,
// whose Client starts, follows and answers data requests; other languages follow docs/contract.md, which describes the same
// names and JSON documents. Every other package of Meterkey uses these types and has none of its own for the same things.
package meterkey
