package browser

import "errors"

// Reasons a window cannot be used. Test for them with errors.Is: they come wrapped.
var (
	// ErrFull means that as many windows are open as the host may have.
	ErrFull = errors.New("no window is free")
	// ErrBegun means that the step was begun before: it may have been done.
	ErrBegun = errors.New("step was begun before")
	// ErrTabClosed means that the window's last page was closed, but not by us.
	ErrTabClosed = errors.New("tab is closed")
	// ErrTabCrashed means that the page's process ended.
	ErrTabCrashed = errors.New("tab has crashed")
	// ErrTabHung means that the page did not answer in time.
	ErrTabHung = errors.New("tab does not answer")
	// ErrWindowLost means that the host has no such window, or has it no longer.
	ErrWindowLost = errors.New("window is lost")
	// ErrDisconnected means that this process has given up its connection to the host.
	ErrDisconnected = errors.New("host is disconnected")
	// ErrInUse means that another process has the host open.
	ErrInUse = errors.New("host is in use by another process")
)
