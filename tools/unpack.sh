#!/usr/bin/env bash
# Unpacks Debian's headless Chromium into a folder, with those packages it needs that are not installed. Needs no rights:
# nothing is installed, no script of a package is run. The browser is FOLDER/chromium.
#
#   tools/unpack.sh FOLDER
set -euo pipefail
folder=$1
rm -rf "$folder"
mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial" "$folder/root"

# What is installed, and programs for a desktop, which would bring half of one along: a headless browser starts none.
cp /var/lib/dpkg/status "$folder/apt/status"
printf '\nPackage: %s\nStatus: install ok installed\nArchitecture: all\nVersion: 99\n' x11-utils xdg-utils >>"$folder/apt/status"

# apt, with all that it keeps in a place of our own.
apt() {
  apt-get -q -y -o Debug::NoLocking=true -o Dir::State="$folder/apt" -o Dir::State::status="$folder/apt/status" \
    -o Dir::Cache="$folder/apt/cache" "$@"
}
apt update
apt install --download-only --no-install-recommends chromium-headless-shell
for package in "$folder"/apt/cache/archives/*.deb; do dpkg-deb --extract "$package" "$folder/root"; done
rm -rf "$folder/apt"

# Every folder with shared libraries, for a loader that knows none of them.
libraries=$(find "$folder/root" -name '*.so*' -printf '%h\n' | sort -u | paste -s -d :)
# Without the system's settings for fonts these are all: which fonts there are, and which is meant by "sans-serif".
xml=$(sed 's/&/\&amp;/g; s/</\&lt;/g' <<<"$folder")
cat >"$folder/fonts.conf" <<END
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>$xml/root/usr/share/fonts</dir>
  <include ignore_missing="yes">$xml/root/usr/share/fontconfig/conf.avail/45-latin.conf</include>
  <include ignore_missing="yes">$xml/root/usr/share/fontconfig/conf.avail/60-latin.conf</include>
  <cachedir>$xml/fonts</cachedir>
</fontconfig>
END
# It becomes the browser: who ends this program ends that one.
{
  printf '#!/bin/bash\n'
  printf 'export LD_LIBRARY_PATH=%q\n' "$libraries"
  if [ ! -e /etc/fonts/fonts.conf ]; then printf 'export FONTCONFIG_FILE=%q\n' "$folder/fonts.conf"; fi
  printf 'exec %q "$@"\n' "$folder/root/usr/lib/chromium/chromium-headless-shell"
} >"$folder/chromium"
chmod +x "$folder/chromium"
