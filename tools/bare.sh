#!/usr/bin/env bash
# Runs commands on a copy of the project, as committed, on a bare Debian that has Go, Node.js, git and make and nothing
# else: `make demo` and `make test` unless others are given.
#
#   tools/bare.sh [root | user | blanks | all] [COMMAND]...
#
#   root    as root, below /root
#   user    as an ordinary user who may not install anything
#   blanks  as that user, in a folder whose name has blanks
#   all     one after the other, each on a Debian of its own
#
# The Debian is this machine's own release, made by debootstrap in a new folder below /var/tmp, which is removed in the
# end. Sources of packages, certificates, Go, Node.js and the settings of npm and of proxies are this machine's. Needs
# root, Debian's debootstrap, and some 10 GB.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  printf 'tools/bare.sh: %s\n' "$*" >&2
  exit 1
}

modes=${1:-all}
case $modes in
  all) modes="root user blanks" ;;
  root | user | blanks) ;;
  *) fail "there is no mode '$modes': say root, user, blanks or all" ;;
esac
if [ $# -gt 0 ]; then shift; fi
if [ $# = 0 ]; then set -- "make demo" "make test"; fi
command -v debootstrap >/dev/null || fail "needs debootstrap: apt-get install debootstrap"
[ "$(id -u)" = 0 ] || fail "needs root, who may make a system in a folder"

place=$(mktemp -d /var/tmp/meterkey-bare.XXXXXX)
trap 'rm -rf --one-file-system "$place"' EXIT
base=$place/base

# make_base: the Debian that each mode gets a copy of.
make_base() {
  local release mirror file setting
  # shellcheck source=/dev/null
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  # shellcheck disable=SC2016 # for apt-get
  mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' | awk -v r="$release" '$1 == r { print $2; exit }')
  [ -n "$mirror" ] || fail "this machine's sources of packages name no mirror of Debian $release"
  debootstrap --variant=minbase --include=ca-certificates,netbase,procps,git,make "$release" "$base" "$mirror" >"$place/log" 2>&1 ||
    fail "debootstrap failed: $(tail -n 5 "$place/log")"
  rm -f "$base/etc/apt/sources.list"
  cp -a /etc/apt/sources.list* "$base/etc/apt/"
  apt-config dump | grep '^Acquire::.*[Pp]roxy' >"$base/etc/apt/apt.conf.d/proxy" || true
  rm -rf "$base/etc/ssl/certs" # links by full names, which here would lead out of the folder
  for file in /etc/resolv.conf /etc/ssl/certs "${SSL_CERT_FILE:-}" "${NODE_EXTRA_CA_CERTS:-}" "$(npm config get cafile)"; do
    if [ -e "$file" ]; then cp -L --recursive --parents --remove-destination "$file" "$base/"; fi
  done
  cp -a "$(go env GOROOT)/." "$base/usr/local/go"
  cp -L "$(node -p process.execPath)" "$base/usr/local/bin/node"
  mkdir -p "$base/usr/local/lib/node_modules" "$base/usr/local/etc"
  cp -aL "$(npm root -g)/npm" "$base/usr/local/lib/node_modules/"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$base/usr/local/bin/npm"
  for setting in registry cafile proxy https-proxy; do
    echo "$setting=$(npm config get "$setting")"
  done | grep -v '=null$' >"$base/usr/local/etc/npmrc"
  chroot "$base" useradd --create-home --shell /bin/bash user
}

# settings: what commands are told of the world around them, one NAME=VALUE a line.
settings() {
  local name
  for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS; do
    if [ -n "${!name:-}" ]; then echo "$name=${!name}"; fi
  done
  for name in GOPROXY GOSUMDB; do echo "$name=$(go env "$name")"; done
}

# inside ROOT COMMAND...: runs a command as root with ROOT as the whole file system and no processes but its own, all of
# which end with the first of them. A plain chroot will not do: the kernel allows no user namespaces there, which Chromium
# makes its sandbox of.
inside() {
  # shellcheck disable=SC2016 # for the inner shell
  unshare --mount --pid --fork --kill-child bash -euc '
    mount --make-rprivate /
    mount --bind "$1" "$1"
    mount -t proc proc "$1/proc"
    mount --rbind /sys "$1/sys"
    mount --rbind /dev "$1/dev"
    cd "$1"
    shift
    pivot_root . mnt
    cd /
    umount -l /mnt
    "$@"
    exit $?' inside "$@"
}

# try MODE COMMAND...: runs the commands, each once those before it have passed.
try() {
  local mode=$1 who=user folder=meterkey home command began root=$place/$1
  shift
  if [ "$mode" = root ]; then who=root; fi
  if [ "$mode" = blanks ]; then folder="a folder/meter key"; fi
  cp -a "$base" "$root"
  home=$(chroot "$root" sh -c "echo ~$who")
  git clone --quiet "file://$PWD" "$root$home/$folder"
  chroot "$root" chown -R "$who:$who" "$home"
  for command; do
    printf '\n=== %s: %s\n' "$mode" "$command"
    began=$SECONDS
    inside "$root" setpriv --reuid "$who" --regid "$who" --init-groups env -i "${world[@]}" HOME="$home" USER="$who" TERM=dumb \
      PATH=/usr/local/go/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin bash -c "cd ~/'$folder' && $command" </dev/null || return
    printf '=== %s: %s took %s s\n' "$mode" "$command" $((SECONDS - began))
  done
  rm -rf --one-file-system "$root"
}

world=()
while IFS= read -r setting; do world+=("$setting"); done < <(settings)
echo "Making a bare Debian in $place ..."
make_base
for mode in $modes; do try "$mode" "$@" || fail "$mode: failed"; done
