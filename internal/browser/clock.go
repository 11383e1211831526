package browser

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// uptime is how long the machine has been up, sleep included. Windows live by it and not by the time of day, which may be wrong and be
// set at any moment: it is the same in every process and goes on when a worker is restarted. No window outlives it, because its browser
// runs on the same machine.
func uptime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(uptimeClock, &t); err != nil {
		panic(fmt.Sprintf("this system lacks clock %d: %v", uptimeClock, err))
	}
	return time.Duration(t.Nano())
}
