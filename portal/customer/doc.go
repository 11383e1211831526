// Package customer serves the pages on which a customer connects a utility account: a link leads to them, and the state of
// the data request says which page is shown. They work without scripts; with them they follow the request live.
//
// A page is drawn from a pageModel: all that is known at one moment. Handlers fill it and send what the customer typed
// to the workflow, which alone decides what comes of it. Nothing about a customer is kept in this process.
package customer
