#!/usr/bin/env bash
# Packages, tried as users have them: built on a bare Debian, then installed, upgraded with tasks in the data
# directory, removed and purged on another one, which has neither compiler nor libraries.
#
#   tests/package/run.sh [bookworm|trixie]...    both, unless told otherwise
#
# Needs root and debootstrap; the first build takes some 15 minutes for each Debian, later ones use ccache. The
# packages of the last run stay in build/packages/SUITE.
set -euo pipefail
cd "$(dirname "$0")/../.."
(($#)) || set -- bookworm trixie

for suite in "$@"; do
  shared=$PWD/build/packages/$suite
  rm -rf "$shared"
  mkdir -p "$shared"
  # What an upgrade starts from: the same programs under the version before.
  CARILLON_BARE_SHARED=$shared tools/bare.sh "$suite" \
    "tools/package.sh /root/shared && tools/package.sh /root/shared/before 0.1.0-1"
  CARILLON_BARE_SHARED=$shared tools/bare.sh "$suite" "tests/package/life.sh /root/shared/before /root/shared"
done
