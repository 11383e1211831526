package activities

// RemindOfCode is what HoldWindow does beside its watching.
var RemindOfCode = (*BrowserActivities).remindOfCode
