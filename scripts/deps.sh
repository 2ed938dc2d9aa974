#!/usr/bin/env bash
# Installs what a make target needs beyond Go: Debian packages, when they are missing and this is Debian or
# Ubuntu. With everything present it asks nothing of the network.
#   demo   offline recognition and a voice (the demo works without: it says what is missing)
#   test   demo, the other voices, the independent audio tools that tests use, and Python and Node.js, which
#          examples are written in
#   peers  test, and third-party clients
#   bench  what counts system calls (without it the other figures are there)
set -euo pipefail

node_since() { node -e "process.exit(+(process.versions.node.split('.')[0] < $1))" 2>/dev/null; }

optional=0
packages=(libpocketsphinx3 pocketsphinx-en-us flite)
case "${1:-}" in
  demo) optional=1 ;;
  test)
    packages+=(minimodem sox ffmpeg asterisk-core-sounds-en-wav espeak-ng)
    command -v python3 >/dev/null || packages+=(python3)
    command -v node >/dev/null || packages+=(nodejs)
    ! command -v node >/dev/null || node_since 18 || { echo "deps: tests need Node.js 18 or newer on the PATH (https://nodejs.org)" >&2; exit 1; }
    ;;
  peers) packages+=(minimodem sox ffmpeg asterisk-core-sounds-en-wav espeak-ng python3-websockets chromium) ;;
  bench) optional=1 packages=(strace linux-perf) ;;
  *) echo "usage: $0 demo|test|peers|bench" >&2; exit 2 ;;
esac

if [ "$1" = peers ] && ! node_since 20; then
  echo "deps: the third-party clients need Node.js 20 or newer, and npm, on the PATH (https://nodejs.org)" >&2
  exit 1
fi

command -v dpkg-query >/dev/null || {
  echo "deps: not Debian or Ubuntu; wanted here: ${packages[*]}" >&2
  exit 0
}
missing=()
for p in "${packages[@]}"; do
  dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" = 0 ]; then sudo=(env); elif sudo -n true 2>/dev/null; then sudo=(sudo); else
  echo "deps: not installed, and neither root nor sudo here: apt-get install ${missing[*]}" >&2
  [ $optional = 1 ] && exit 0
  exit 1
fi
echo "deps: installing ${missing[*]}" >&2
install() {
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1
}
install || { "${sudo[@]}" apt-get update -qq >/dev/null 2>&1 && install; } || {
  echo "deps: apt-get install ${missing[*]} failed" >&2
  [ $optional = 1 ] && exit 0
  exit 1
}
