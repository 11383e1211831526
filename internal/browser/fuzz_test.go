package browser

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What a browser says and what files hold may be anything. Each of these is also a test over its seeds.

// FuzzMessages takes whatever a browser sends: calls get their own answers or none, and what is not understood changes nothing.
func FuzzMessages(f *testing.F) {
	for _, text := range []string{
		`{"id":1,"result":{}}`, `{"id":1,"error":{"code":1,"message":"no"}}`, `{"id":1,"method":"Target.targetCreated"}`, `{"id":1e30}`, `null`, `[]`,
		`{"method":"Target.targetCreated","params":{"targetInfo":{"targetId":"a","type":"page","browserContextId":"W"}}}`,
		`{"method":"Target.targetCrashed","params":{"targetId":"a"}}`, `{"method":"Target.targetDestroyed","params":null}`,
		`{"method":"Target.targetCreated","params":{"targetInfo":5}}`, `{"id":2,"result":{}}`, `{"id":1,"result":"x"}{`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		all := newTargets(newBroadcast())
		w := &cdpConn{onEvent: all.onEvent, waiting: map[int64]chan cdpMessage{}}
		id, answer := w.expect()
		var m cdpMessage
		if json.Unmarshal(data, &m) != nil {
			return
		}
		w.dispatch(m)
		w.dispatch(m) // a browser that repeats itself must not hold up anybody
		mine := m.ID == id && m.Method == ""
		require.Equal(t, mine, len(answer) == 1)
		require.Equal(t, !mine, len(w.waiting) == 1)
		for _, page := range all.pages("") {
			require.True(t, page.isPage())
			require.Positive(t, page.seen)
		}
	})
}

// FuzzPageOrder: whatever was noted and whatever is open, the order holds every open page once, those noted first and as noted.
func FuzzPageOrder(f *testing.F) {
	f.Add([]byte("abc"), []byte("cab"))
	f.Add([]byte("aab"), []byte("b"))
	f.Add([]byte(""), []byte("xyz"))
	f.Fuzz(func(t *testing.T, noted, open []byte) {
		var names, ids []string
		for _, b := range noted {
			if id := string(b); !slices.Contains(names, id) {
				names = append(names, id)
			}
		}
		var pages []target
		for _, b := range open {
			if id := string(b); !slices.Contains(ids, id) {
				ids = append(ids, id)
				pages = append(pages, target{ID: id})
			}
		}
		order := inOrder(names, pages)
		require.ElementsMatch(t, ids, order)
		places := make([]int, 0, len(order))
		for _, id := range order {
			place := slices.Index(names, id)
			if place < 0 {
				place = len(names) + slices.Index(ids, id)
			}
			places = append(places, place)
		}
		require.True(t, slices.IsSorted(places), "%v of %v noted", order, names)
		require.Equal(t, order, inOrder(order, pages), "what was noted so stays so")
	})
}

// FuzzRecords reads window records of all sorts: a window has a record or an error, never half of one.
func FuzzRecords(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"id":"W1","owner":"someone","opened":1000000000,"begun":["login"]}`, `{"closed":"x"}`, `[`, ``,
		`{"pages":["a","a"],"notes":{"browser.parked":"{"}}`, `{"expires":9223372036854775807}`, `{"begun":{}}`, `null`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := folder(t.TempDir())
		require.NoError(t, makeFiles(string(dir), "record.lock", "work.lock", "claim"))
		require.NoError(t, os.WriteFile(dir.file("record.json"), data, 0o600))
		w := &Window{folder: dir, done: make(chan struct{})}
		before, err := dir.read()
		begun := w.BeginOnce("login")
		after, errAfter := dir.read()
		if err != nil {
			require.ErrorContains(t, err, "reading window record")
			require.Error(t, begun)
			require.Error(t, errAfter, "what cannot be read is not overwritten")
			return
		}
		require.NoError(t, errAfter)
		require.Equal(t, before.Owner, after.Owner)
		require.Equal(t, before.Expires, after.Expires)
		if slices.Contains(before.Begun, "login") {
			require.ErrorIs(t, begun, ErrBegun)
		} else {
			require.NoError(t, begun)
		}
		require.ErrorIs(t, w.BeginOnce("login"), ErrBegun)
	})
}

// FuzzRunning reads descriptions of a browser that somebody else may have written: no other process is taken for it.
func FuzzRunning(f *testing.F) {
	for _, text := range []string{`{}`, `{"pid":1}`, `{"pid":-1,"started":""}`, `{"pid":1,"started":"1","address":"ws://x"}`, `{"pid":1e9}`, `"x"`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r running
		if json.Unmarshal(data, &r) != nil {
			return
		}
		if started, ok := startOf(r.PID); ok && r.Started == started {
			return // by chance it does describe a process of this machine, which is not to be killed
		}
		require.False(t, r.alive())
		require.NoError(t, kill(r), "nobody is killed")
	})
}

// TestCapacityAddsUp opens, reserves, uses and releases at random: no more is given than there is, and in the end all is free.
func TestCapacityAddsUp(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 0))
		s := &capacity{total: 1 + r.IntN(5), changed: newBroadcast()}
		var releases []func()
		open := 0
		for range 200 {
			switch r.IntN(4) {
			case 0:
				free := s.free()
				release, ok := s.tryReserve()
				require.Equal(t, free > 0, ok)
				if ok {
					require.Equal(t, free-1, s.free())
					releases = append(releases, release)
				}
			case 1:
				if len(releases) > 0 {
					i := r.IntN(len(releases))
					releases[i]()
					releases[i]() // once more is once
					releases = slices.Delete(releases, i, i+1)
				}
			case 2:
				open = r.IntN(s.total + 1)
				s.setOpen(open)
			case 3:
				require.Equal(t, s.total-open-len(releases), s.free())
			}
		}
		for _, release := range releases {
			release()
		}
		s.setOpen(0)
		require.Equal(t, s.total, s.free())
	}
}

func TestWaitersAreToldOnlyOfChanges(t *testing.T) {
	t.Parallel()
	s := &capacity{total: 2, changed: newBroadcast()}
	changed := s.changed.next()
	s.setOpen(0)
	select {
	case <-changed:
		require.Fail(t, "nothing has changed")
	default:
	}
	s.setOpen(1)
	select {
	case <-changed:
	case <-time.After(waitLimit):
		require.Fail(t, "nobody was told")
	}
}
