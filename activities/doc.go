// Package activities is what the DataRequest workflow asks of the world, one file each.
//
// [BrowserActivities] work in browser windows at the utilities' sites: Login, HoldWindow, SubmitCode, ResendCode,
// FetchMeterList, CloseWindow. [Notifier] tells people: Notify. [Recorder] keeps what there is to know for lists, reports and
// webhooks: Record.
//
// What a site shows is a value ([workflows.PageResult]); an error means that a retry may mend it, or is of a type that says
// who can. Every activity can be retried at any point: each one looks at the page that an earlier attempt left before it does
// anything, and what may happen only once is noted in the window's record before it happens. Whatever causes a status also
// records it, at once.
package activities
