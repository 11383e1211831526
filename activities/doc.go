// Package activities is what the DataRequest workflow asks of the world.
//
// [Site] works in browser windows at the utilities' sites: Login, HoldWindow, SubmitCode, ResendCode, FetchMeterList,
// CloseWindow. [Desk] tells people and keeps records: Notify and Record. [Webhooks] tells requesters' systems: Deliver.
//
// What a site shows is a value ([workflows.Found]); an error means that a retry may mend it. Every activity can be
// retried at any point: each one looks at the page that an earlier attempt left before it does anything, and what may
// happen only once is noted in the window's record before it happens.
package activities
