#!/usr/bin/env bash
# Prints the path of a nats-server of version 2.10 or later, for tests: the one that is installed,
# or else Debian 13's, which runs on Debian 12 too. That one is fetched once, with an apt
# configuration of its own so that the system's stays as it is, and unpacked into DIR, not installed.
#
#   tools/nats-server.sh [DIR]   DIR: where it is kept; default: ~/.cache/carillon
#
# Needs no root.
set -euo pipefail
dir=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/carillon}

is_new_enough() {
  [[ $("$1" --version 2> /dev/null) =~ v2\.([0-9]+) ]] && ((BASH_REMATCH[1] >= 10))
}
for kept in "$(command -v nats-server || true)" {"","$dir"}/usr/{sbin,bin}/nats-server; do
  [[ -x $kept ]] && is_new_enough "$kept" && echo "$kept" && exit
done

mkdir -p "$dir"
work=$(mktemp -d "$dir/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/lists/partial "$work"/archives/partial
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main" \
  > "$work/sources.list"
: > "$work/status"
apt() {
  apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- \
    -o Dir::State::lists="$work/lists" -o Dir::State::status="$work/status" \
    -o Dir::Cache="$work" -o APT::Sandbox::User=root "$@" >&2
}
apt update
(cd "$work" && apt download nats-server)
dpkg -x "$work"/nats-server_*.deb "$dir"
rm -rf "$work"
trap - EXIT
exec "$0" "$dir"
