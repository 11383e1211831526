package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/meterkey/meterkey"
)

// Scripts run the real binary. Beside testscript's own commands they have:
//
//	exits CODE program [args...]             runs a program, which must exit with that code
//	terminal CODE dialogue program [args...] the same on a pseudo-terminal; the dialogue is a file (see dialogue), and
//	                                         what the terminal showed is in the file "screen"
//	eventually TEXT program [args...]        runs a program until it prints the text
//	json PATH VALUE                          standard output is JSON, a document a line, and the last one has the value
//	                                         there; a path is a.b.0, VALUE a regular expression for the whole of it
//	fits COLUMNS                             no line that the live view drew, in the file "screen", is wider
//	countsdown                               the times left in the file "screen" run down
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Deadline:            time.Now().Add(15 * time.Minute),
		Setup:               setUp,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":      exits,
			"terminal":   onTerminal,
			"eventually": eventually,
			"json":       hasJSON,
			"fits":       fits,
			"countsdown": countsDown,
		},
	})
}

func setUp(env *testscript.Env) error {
	env.Setenv("TEMPORAL_ADDRESS", shared.address)
	env.Setenv("IDLE_ADDRESS", shared.idle.Address())
	env.Setenv("MUTE_ADDRESS", shared.mute.Addr().String())
	env.Setenv("MK_RECIPIENT", shared.recipient)
	repository, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	env.Setenv("REPOSITORY", repository)
	env.Setenv("TERM", "xterm")
	env.Setenv("TZ", "UTC")
	return nil
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE program [args...]")
	}
	checkCode(ts, args[0], ts.Exec(args[1], args[2:]...))
}

func checkCode(ts *testscript.TestScript, want string, err error) {
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != want {
		ts.Fatalf("exit code is %d, want %s", code, want)
	}
}

// eventually waits for what shows late, such as Temporal's visibility.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually TEXT program [args...]")
	}
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); {
		if err := ts.Exec(args[1], args[2:]...); err == nil && strings.Contains(ts.ReadFile("stdout"), args[0]) {
			return
		}
	}
	ts.Fatalf("%s never printed %q", args[1], args[0])
}

func onTerminal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: terminal CODE dialogue program [args...]")
	}
	program, err := exec.LookPath(args[2])
	ts.Check(err)
	cmd := exec.CommandContext(context.Background(), program, args[3:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = environ(ts)
	screen, err := dialogue(ts.ReadFile(args[1])).play(cmd)
	ts.Check(os.WriteFile(ts.MkAbs("screen"), []byte(screen), 0o600))
	ts.Logf("[screen]\n%s", strings.ReplaceAll(screen, "\x1b", "␛"))
	checkCode(ts, args[0], err)
}

// environ is the script's environment as far as the programs look at it.
func environ(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "TERM", "TZ", "NO_COLOR", "GOCOVERDIR", "TEMPORAL_ADDRESS", "MK_RECIPIENT", "MK_UTILITIES_DIR"} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

func hasJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: json PATH VALUE")
	}
	var document any
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		document = nil
		ts.Check(json.Unmarshal([]byte(line), &document))
	}
	value, err := at(document, args[0])
	ts.Check(err)
	if !regexp.MustCompile("^(?:" + args[1] + ")$").MatchString(value) {
		ts.Fatalf("%s is %s, not %s", args[0], value, args[1])
	}
}

// at is what a document has at a path; a list's own length stands under "length".
func at(document any, path string) (string, error) {
	for step := range strings.SplitSeq(path, ".") {
		switch part := document.(type) {
		case map[string]any:
			document = part[step]
		case []any:
			if step == "length" {
				return strconv.Itoa(len(part)), nil
			}
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(part) {
				return "", fmt.Errorf("there is no %s among %d", step, len(part))
			}
			document = part[i]
		}
	}
	return fmt.Sprint(document), nil
}

func fits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: fits COLUMNS")
	}
	columns, err := strconv.Atoi(args[0])
	ts.Check(err)
	drawn, _, _ := strings.Cut(ts.ReadFile("screen"), "\x1b[?25h")
	for line := range strings.Lines(drawn) {
		if width := ansi.StringWidth(strings.TrimRight(line, "\r\n")); width > columns {
			ts.Fatalf("%d columns: %q", width, line)
		}
	}
}

var timeLeft = regexp.MustCompile(`(\d+):(\d\d) left`)

func countsDown(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: countsdown")
	}
	var seen []int
	for _, m := range timeLeft.FindAllStringSubmatch(ts.ReadFile("screen"), -1) {
		minutes, _ := strconv.Atoi(m[1]) // digits, by the expression
		seconds, _ := strconv.Atoi(m[2]) // likewise
		seen = append(seen, 60*minutes+seconds)
	}
	if len(slices.Compact(slices.Clone(seen))) < 2 || !slices.IsSortedFunc(seen, func(a, b int) int { return b - a }) {
		ts.Fatalf("the seconds left were %v", seen)
	}
}

// TestHelpTeachesEveryCommand keeps --help and docs/starter.md complete: every command is in both, with an example.
func TestHelpTeachesEveryCommand(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile(filepath.Join("..", "docs", "starter.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range commandNames(t) {
		if !strings.Contains(string(manual), "### `starter "+command) {
			t.Errorf("docs/starter.md has no section on starter %s", command)
		}
		help := runText(t, command, "--help")
		if !strings.Contains(help, "\n    starter "+command) && !strings.Contains(help, "$(starter "+command) {
			t.Errorf("starter %s --help has no example", command)
		}
	}
	for _, s := range meterkey.Statuses() {
		if !strings.Contains(string(manual), "`"+string(s)+"`") {
			t.Errorf("docs/starter.md does not know the status %s", s)
		}
	}
}
