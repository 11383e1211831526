// Package browser keeps browser windows that outlive the process that opened them.
//
// # Hosts
//
// A [Host] is one Chromium, running as a process of its own, together with the folder that describes it. Any number of
// processes may open the same host, one after another or at the same time: the first starts Chromium, the others
// connect to it. A process that leaves, is killed or crashes takes nothing with it. When Chromium itself ends, every
// process that is connected learns that its windows are lost, and one of them starts a new Chromium.
//
// The host's folder holds
//
//	id              the host's name, the same for ever
//	browser.json    the running Chromium: process, start time, address
//	browser.lock    held while Chromium is looked for, started or ended, or a driver's folder is made
//	opening.lock    held while a window is being opened, so that the capacity is kept among processes
//	users.lock      held (shared) by every process that has the host open
//	drivers/        one folder for each Playwright driver: its temporary files
//	chromium.log    what Chromium last wrote to its standard error
//	profile/        Chromium's own folder, new with every start
//	windows/<id>/   one folder for each window:
//	    record.json     owner, times, steps begun, notes, the order of its pages
//	    record.lock     held while the record is rewritten
//	    work.lock       held by the one worker who works in the window
//	    claim           held (shared) by everybody who still needs the window; its time says when the last one was made
//
// Locks are flocks: they end with the process that holds them, however it ends. Times are counted from the machine's start: the time of
// day, which may be wrong and be set at any moment, ends no window.
//
// # Windows
//
// A [Window] is a browser context of its own: it shares no cookies and no storage with any other window. Its id is the
// context's. A window lives until it is closed, until nobody has claimed it for a while ([Options.Unclaimed]), or until
// it has expired and nobody works in it any more ([Options.Grace]); the host's sweeper sees to the latter two.
//
// Whoever needs a window claims it ([Window.Claim]); whoever acts in it locks it as well ([Window.Lock]). What must
// happen at most once, such as typing a password, starts with [Window.BeginOnce]: that it was begun is on disk before it
// is done, so a successor knows that it may have been done, and looks at the page instead of repeating it. Records are no
// place for secrets.
//
// # Two connections
//
// Pages are driven through Playwright, whose driver is a Node.js process. Windows are opened, watched and closed over a
// second, plain DevTools connection, because that one can be bounded by a context, does not depend on the
// driver, and still answers when a tab or the driver hangs. If the driver ends, the host starts another one; windows do not
// notice, except that calls that were under way fail. Ask [Window.Page] for the page each time instead of keeping it.
//
// No call of Playwright takes a context, and some are known never to return. [Do] bounds them.
//
// # What can go wrong with a window
//
//	ErrTabClosed    the site or somebody else closed its last page
//	ErrTabCrashed   the page's process ended
//	ErrTabHung      the page does not answer; it may recover
//	ErrWindowLost   the window is no more: closed, swept, or gone together with Chromium
//
// A tab that is crashed or hangs at the moment a driver connects would hold up every other window of the host: Playwright
// waits for every page of the browser. Such windows are closed, after a few seconds in which they may come back to life.
//
// # What is needed
//
// A Chromium ([FindChromium] knows where to look; chromium-headless-shell is the lightest) and Playwright's driver: a
// folder holding package/ (the npm package playwright-core, unpacked), named by PLAYWRIGHT_DRIVER_PATH, and a Node.js,
// named by PLAYWRIGHT_NODEJS_PATH. As root Chromium runs without its sandbox, which protects the machine from what web
// pages do: better be an ordinary user.
//
// A window shows itself as what it is, a headless browser, with a usual desktop's size and language en-US.
//
// # Safety
//
// Chromium listens on loopback only, but any user of the machine can reach loopback. Run a host on a machine, or in a
// container, whose users may all see what the customers see. Chromium gets none of our environment but what it needs to run.
package browser
