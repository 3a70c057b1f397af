#!/bin/sh
# Install the Debian packages that some tests need, where that is possible; else name them. Never fails: a test that
# misses its package says so itself.
set -u
missing=""
for package in "$@"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  if sudo -n true 2>/dev/null; then as_root="sudo -n"; else as_root="no"; fi
fi
if [ "$as_root" != "no" ] && command -v apt-get >/dev/null 2>&1; then
  echo "system packages: installing$missing"
  if $as_root apt-get update -qq >/dev/null 2>&1; then :; fi
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 && exit 0
fi
echo "system packages: these are missing, and the tests that need them will be skipped:$missing"
echo "                 install them with:  sudo apt-get install$missing"
