#!/usr/bin/env bash
# Installs what is missing, builds everything, and passes all the tests. What CI runs.
#
#   tools/test.sh [PRESET]     release (the default), dev, asan or tsan
#   tools/test.sh --full       and then what is too long for every change: tools/full.sh
set -uo pipefail
cd "$(dirname "$0")/.."

full=no
if [[ ${1:-} == --full ]]; then
  full=yes
  shift
fi
preset=${1:-release}
began=$SECONDS
summary=()

# step NAME COMMAND...: runs it, remembers how it went and how long it took; ends all if it failed.
step() {
  local name=$1 start=$SECONDS
  shift
  echo "== $name"
  if "$@"; then
    summary+=("$(printf '%-22s passed %5d s' "$name" $((SECONDS - start)))")
  else
    summary+=("$(printf '%-22s FAILED %5d s' "$name" $((SECONDS - start)))")
    finish 1
  fi
}

finish() {
  echo
  echo "== summary ($preset)"
  printf '%s\n' "${summary[@]}"
  if (($1 == 0)); then
    echo "all passed in $((SECONDS - began)) s"
  else
    echo "FAILED after $((SECONDS - began)) s"
  fi
  exit "$1"
}

configure() { cmake --preset "$preset" > build/configure.log 2>&1 || { cat build/configure.log; false; }; }
build() {
  # Without a terminal one line for each file is noise: what matters is what did not compile.
  cmake --build --preset "$preset" -- --quiet
}
# Tests on real servers, browsers and clusters need many processes, and the machine may have few cores. Those that
# failed beside others are run once more, alone; the output of the first run stays above. No other test is run again.
run_tests() {
  local report=$PWD/build/$preset/tests.xml failed=build/$preset/Testing/Temporary/LastTestsFailed.log
  ctest --preset "$preset" --parallel "$(nproc)" --no-tests=error --output-junit "$report" && return
  if [[ ! -s $failed ]] || grep -vqE ':(npm|end_to_end|faults|cluster_faults|cluster_node|jetstream|delivery_broker|bench)_' "$failed"; then return 1; fi
  echo "== once more, alone: $(cut -d: -f2 "$failed" | tr '\n' ' ')"
  ctest --preset "$preset" --rerun-failed
}

mkdir -p build
step "set-up" tools/setup.sh --tests
step "house rules" python3 tests/house/check.py
step "configure" configure
step "build" build
step "tests" run_tests
[[ $full == no ]] || step "full size" tools/full.sh
finish 0
