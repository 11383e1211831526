// Package workflows holds the DataRequest workflow: its name, messages, statuses, reasons and typed client.
//
// A data request asks one utility customer for access to their account. It runs as one Temporal workflow from the
// sign-in link to the meter list, and survives whatever happens to the machines underneath.
//
// # For a Go backend
//
// This package is all a backend needs. [NewClient] wraps a Temporal client; [Client.Start] starts a request,
// [Client.SubmitLogin] and [Client.SubmitCode] seal what the customer typed and send it as a signal, [Client.State]
// reads where the request stands. Backends in other languages follow docs/contract.md, which describes the same names
// and JSON documents.
//
// # For those who change it
//
// status.go holds the one transition table; status.mermaid draws it and a test compares the two. decide.go holds the
// pure decision on what a waiting request does next. request.go runs it all. Whatever changes here must keep the
// histories under testdata/histories replaying.
package workflows
