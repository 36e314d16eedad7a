#!/usr/bin/env bash
# Makes carillon-client.jar in a directory, with nothing but a JDK, 17 or newer. The same sources make the same bytes.
#
#   clients/java/build.sh DIRECTORY
set -euo pipefail
(($# == 1)) || { echo "usage: clients/java/build.sh DIRECTORY" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"
rm -rf "$out/classes"
find src -name '*.java' | sort > "$out/sources"
javac --release 17 -Xlint:all -d "$out/classes" "@$out/sources"
jar --create --file "$out/carillon-client.jar" --date 2026-01-01T00:00:00Z -C "$out/classes" .
rm "$out/sources"
