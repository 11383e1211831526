// Package workflows holds the DataRequest workflow: what a data request does next, from the sign-in link to the meter list,
// whatever happens to the machines underneath. Backends do not import it: package meterkey has the names and documents,
// package sdk the client.
//
// transitions.go holds the one table of how a status leads to another; transitions.mermaid draws it and a test compares the
// two. decide.go says what a waiting request does next and conclude.go what follows from what an activity found; both are
// pure. request.go runs it all, window_activities.go has the activities done, notices.go has people told and projection.go
// has states recorded.
//
// Beside it stand [DeliverNotice], which goes on with a notice for as long as a mailbox may be away, and [ProbeUtility], which
// looks at a utility's login page.
//
// Whatever changes here must keep the histories under testdata/histories replaying: docs/upgrading.md says how.
package workflows
