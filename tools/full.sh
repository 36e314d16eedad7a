#!/usr/bin/env bash
# Runs the end-to-end tests full size: 200,000 coupon reminders, 100,000 time-outs over 30 days and
# over a minute of real time, and both with kill -9 in the middle. Prints their figures.
#
#   tools/full.sh [PRESET] [GTEST_FILTER]     release and all of them by default
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:-release}
filter=${2:-*}
runs=(coupon timeouts crash replay operation cli)

cmake --preset "$preset" > /dev/null
cmake --build --preset "$preset" -- --quiet "${runs[@]/#/end_to_end_}"

failed=()
for run in "${runs[@]}"; do
  echo "== $run"
  CARILLON_FULL=1 "build/$preset/bin/end_to_end_$run" --gtest_brief=1 --gtest_filter="$filter" \
    || failed+=("$run")
done
if ((${#failed[@]} > 0)); then
  echo "FAILED: ${failed[*]}"
  exit 1
fi
echo "all full-size runs passed"
