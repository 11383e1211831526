package main

import (
	"net"
	"strconv"

	"github.com/meterkey/meterkey/sandbox/devenv"
)

// usual is the address where it is free, else a free one.
func usual(address string) string {
	if free, err := devenv.FreeAddress(address); err == nil {
		return free
	}
	free, err := devenv.FreeAddress("")
	if err != nil {
		return address // let the server that wants it say what is wrong
	}
	return free
}

func port(address string) int {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return 0
	}
	number, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return number
}
