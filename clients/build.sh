#!/usr/bin/env bash
# Builds what users of the clients install, into DIRECTORY/typescript (a package.tgz, and the same unpacked) and
# DIRECTORY/java (a jar). Python's package needs no building: `pip wheel clients/python` makes a wheel of it.
#
#   clients/build.sh DIRECTORY
set -euo pipefail
(($# == 1)) || { echo "usage: clients/build.sh DIRECTORY" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"

java/build.sh "$out/java" &
java=$!

rm -rf "$out/typescript"
mkdir -p "$out/typescript"
cp -r typescript/package.json typescript/README.md typescript/src "$out/typescript"
typescript/node_modules/.bin/tsc --project typescript --outDir "$out/typescript/dist"
(cd "$out/typescript" && npm pack --ignore-scripts --silent --pack-destination "$out" > "$out/packed")
wait "$java"
echo "built $(cat "$out/packed") and java/carillon-client.jar in $out"
rm "$out/packed"
