#!/bin/sh
# Install the Debian packages that some tests need, where that is possible; else name them. Never fails: a test that
# misses its package says so itself. Each argument is a package, or a command and the package that brings it: node=nodejs.
set -u
missing=""
for wanted in "$@"; do
  package="${wanted#*=}"
  if [ "$package" != "$wanted" ] && command -v "${wanted%%=*}" >/dev/null 2>&1; then continue; fi
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  if sudo -n true 2>/dev/null; then as_root="sudo -n"; else as_root="no"; fi
fi
if [ "$as_root" != "no" ] && command -v apt-get >/dev/null 2>&1; then
  echo "system packages: installing$missing"
  $as_root apt-get update -qq >/dev/null 2>&1 || true
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 && exit 0
fi
echo "system packages: these are missing, and the tests that need them will be skipped:$missing"
echo "                 install them with:  sudo apt-get install$missing"
