#!/usr/bin/env bash
# Runs everything that is too long for every change, full size, and prints the figures.
#
#   tools/full.sh             all of it: about three hours on two cores
#   tools/full.sh NAME...     these runs
set -uo pipefail
cd "$(dirname "$0")/.."

bin=build/release/bin
fuzz_seconds=300
# Name, and what runs it. CARILLON_FULL=1 makes the tests full size.
runs=(
  "coupon        $bin/end_to_end_coupon"     # 200,000 reminders due at one instant
  "timeouts      $bin/end_to_end_timeouts"   # 100,000 over 30 days, and over a minute of real time
  "crash         $bin/end_to_end_crash"      # both with kill -9 in the middle
  "replay        $bin/end_to_end_replay"
  "operation     $bin/end_to_end_operation"
  "cli           $bin/end_to_end_cli"
  "simulation    $bin/simulate --seeds 1000000 --from-commit"
  "simulation_nodes $bin/simulate --nodes --seeds 1000000 --from-commit"
  "crash_loop    $bin/faults_crash_loop"     # 1,000 rounds of kill -9
  "failpoints    $bin/faults_failpoints"
  "held_commits  $bin/faults_held_commits"
  "power_loss    $bin/power_loss_test"       # 8,000 cuts
  "disk_full     $bin/faults_disk_full"
  "io_errors     $bin/faults_io_errors"
  "damage        $bin/damage_matrix_test"    # 800 damaged directories
  "backup        $bin/faults_backup"
  "clock         $bin/faults_clock"
  "receivers     $bin/faults_receivers"
  "clients       $bin/faults_clients"        # as many connections as descriptors allow
  "limits        $bin/faults_limits"
  "attack        $bin/faults_attack"         # 160 hanging origins, 2,000 dead names, a million retained tasks
  "dashboard     node tests/npm/dashboard_large.js $bin"  # with ten million tasks
  "fuzz          tools/fuzz.sh $fuzz_seconds"
  "mutants       tests/mutants/run.py run"
  "packages      tests/package/run.sh"       # on bare Debian 12 and 13; needs root
  "asan          tools/test.sh asan"
  "tsan          tools/test.sh tsan"
)

cmake --preset release > /dev/null && cmake --build --preset release -- --quiet || exit 1
export CARILLON_FULL=1
failed=()
known=()
for run in "${runs[@]}"; do
  read -r name command <<< "$run"
  known+=("$name")
  (($# > 0)) && [[ " $* " != *" $name "* ]] && continue
  echo "== $name"
  began=$SECONDS
  case $name in
    asan | tsan) env -u CARILLON_FULL $command ;;  # every test once, at the size of every change
    *) $command ;;
  esac || failed+=("$name")
  echo "== $name took $((SECONDS - began)) s"
done
for name in "$@"; do
  [[ " ${known[*]} " == *" $name "* ]] || failed+=("$name (no such run; there are: ${known[*]})")
done
if ((${#failed[@]} > 0)); then
  echo "FAILED: ${failed[*]}"
  exit 1
fi
echo "all full-size runs passed"
