// Package workflows holds the DataRequest workflow. Its documents are the module's root package, its typed client is package
// sdk; docs/contract.md describes both for other languages.
//
// A data request asks one utility customer for access to their account. It runs as one Temporal workflow from the
// sign-in link to the meter list, and survives whatever happens to the machines underneath.
//
// # For those who change it
//
// transitions.go holds the one transition table; transitions.mermaid draws it and a test compares the two. decide.go holds the
// pure decision on what a waiting request does next. request.go runs it all. Whatever changes here must keep the
// histories under testdata/histories replaying.
package workflows
