package dashboard

import "sync"

// jobs are what this process does in the background. That a job runs is only ever a hint for people: several portals may work on
// the same one, and each step of a job is safe to repeat.
type jobs struct {
	mu     sync.Mutex
	byName map[string]bool
}

func newJobs() *jobs { return &jobs{byName: map[string]bool{}} }

// start runs the job unless it runs already.
func (j *jobs) start(name string, run func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.byName[name] {
		return
	}
	j.byName[name] = true
	go func() {
		defer j.end(name)
		run()
	}()
}

func (j *jobs) end(name string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.byName, name)
}

func (j *jobs) running(name string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.byName[name]
}
