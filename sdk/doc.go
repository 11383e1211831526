// Package sdk is the typed client for data requests: all that a Go backend needs beside the module's root package, which
// holds their documents.
//
// [New] wraps a Temporal client, made with the data converter of package payload. [Client.Start] starts a request;
// [Client.SubmitLogin], [Client.Choose] and [Client.SubmitCode] seal what the customer typed, submit it and tell what it led
// to; [Client.State] reads where the request stands, [Client.Follow] and [Client.Wait] hear of each change. Backends in
// other languages follow docs/contract.md, which describes the same names and JSON documents.
package sdk
