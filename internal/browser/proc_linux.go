package browser

import (
	"os"
	"strconv"
	"strings"
)

// startOf returns a text that no other process with this number has, now or later; false if no such process runs.
func startOf(pid int) (string, bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", false
	}
	// The second field is the program's name in brackets and may itself contain brackets and blanks.
	fields := strings.Fields(string(stat[strings.LastIndex(string(stat), ")")+1:]))
	const state, startTime = 0, 19
	if len(fields) <= startTime || fields[state] == "Z" || fields[state] == "X" {
		return "", false
	}
	return fields[startTime], true
}
