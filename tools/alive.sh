#!/usr/bin/env bash
# Runs a command and says every 15 seconds (ALIVE_EVERY, if set) that it is still at it.
#
#   tools/alive.sh [-l LOG] LABEL COMMAND [ARGUMENT]...
#
# With -l the command's output goes to the file LOG; if ALIVE_LINES says how many lines that will be, it is said how far
# the command is. The exit status is the command's.
set -euo pipefail

log=/dev/stdout
if [ "$1" = -l ]; then
  log=$2
  shift 2
fi
label=$1
shift

so_far() {
  if [ "${ALIVE_LINES:-0}" -gt 0 ]; then echo ", $(($(wc -l <"$log") * 100 / ALIVE_LINES)) %"; fi
}

pulse() {
  while sleep 1 >/dev/null && kill -0 $$; do
    if [ $((SECONDS % ${ALIVE_EVERY:-15})) = 0 ]; then echo "    $label: still at it, $SECONDS s$(so_far)"; fi
  done 2>/dev/null
}

pulse </dev/null &
trap 'kill $! 2>/dev/null || true' EXIT
if [ "$log" = /dev/stdout ]; then "$@"; else "$@" >"$log" 2>&1; fi
