#!/usr/bin/env bash
# Runs clang-tidy by .clang-tidy.
#
#   tools/tidy.sh              on what differs from the main branch or is not committed
#   tools/tidy.sh --all        on everything (about 20 minutes on two cores)
#   tools/tidy.sh FILE...      on these
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/tidy
case "${1:-}" in
  --all)
    mapfile -t files < <(git ls-files '*.cc') ;;
  "")
    base=$(git merge-base HEAD origin/main 2> /dev/null || git rev-parse HEAD)
    mapfile -t files < <({
      git diff --name-only --diff-filter=d "$base" -- '*.cc'
      git ls-files --others --exclude-standard -- '*.cc'
    } | sort -u) ;;
  *)
    files=("$@") ;;
esac
((${#files[@]})) || { echo "tidy: nothing to look at"; exit 0; }

cmake --preset dev -B "$build" > /dev/null
echo "tidy: ${#files[@]} files"
printf '%s\0' "${files[@]}" |
  nice xargs -0 -n 1 -P "$(nproc)" clang-tidy-19 --quiet -p "$build" \
    --extra-arg=-Wno-unknown-warning-option 2> /dev/null
echo "tidy: fine"
