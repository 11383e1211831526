// Package dashboard is what a requester's people work with: the list of their data requests, live; each request with
// its course, meters and actions; new requests, one or many at once; API keys, webhooks and statistics.
//
// Pages are drawn on the server and work without scripts. With scripts, a page listens to a stream of server-sent events
// that says only that something changed, and then fetches the changed part of itself anew: what is shown is always drawn by the same
// template. Everything a page reads or changes goes through the store with the signed-in person's requester, so
// another requester's things do not exist here.
//
// Each page has a file: its address, its handlers and what its template in templates/ is drawn from.
package dashboard
