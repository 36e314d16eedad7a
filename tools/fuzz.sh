#!/usr/bin/env bash
# Fuzzes the decoders with libFuzzer, then keeps the fewest inputs that reach all that was reached.
#
#   tools/fuzz.sh [SECONDS] [TARGET...]    300 s each, all targets of tests/fuzz
#
# What fails an input is left in build/fuzz/findings/TARGET; once it is mended, the input belongs in
# tests/fuzz/corpus/TARGET under a name that tells what it was: such names are never merged away.
# What a run has learnt stays in build/fuzz/learnt/TARGET for the next one.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

seconds=${1:-300}
shift $(($# > 0 ? 1 : 0))
targets=("$@")
((${#targets[@]})) || for file in tests/fuzz/*_fuzz.cc; do targets+=("$(basename "$file" _fuzz.cc)"); done
limits=(-max_len=4096 -timeout=10 -rss_limit_mb=2560 -print_final_stats=1)

fuzz_one() {
  local target=$1 program=build/fuzz/bin/fuzz_$1 kept=tests/fuzz/corpus/$1
  local learnt=build/fuzz/learnt/$1 findings=build/fuzz/findings/$1 merged=build/fuzz/merged/$1
  mkdir -p "$kept" "$learnt" "$findings"
  nice -n 15 "$program" "${limits[@]}" -max_total_time="$seconds" -artifact_prefix="$findings/" \
    "$learnt" "$kept" > "$findings.log" 2>&1
  local status=$?
  # Inputs that are named for what they were stay; the others are chosen anew, one for each edge.
  rm -rf "$merged"
  mkdir -p "$merged"
  find "$kept" -type f -regextype egrep ! -regex '.*/[0-9a-f]{40}' -exec cp {} "$merged" \;
  nice -n 15 "$program" "${limits[@]}" -set_cover_merge=1 -use_counters=0 "$merged" "$learnt" "$kept" \
    > "$findings.merge.log" 2>&1 || status=1
  if ((status == 0)); then
    find "$kept" -type f -delete
    cp "$merged"/* "$kept"
  fi
  printf '%-12s %s  %s runs, %s features, %s inputs kept\n' "$target" \
    "$( ((status == 0)) && echo passed || echo "FAILED: see $findings.log")" \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$findings.log")" \
    "$(grep -o 'ft: [0-9]*' "$findings.log" | tail -1 | cut -c5-)" "$(find "$kept" -type f | wc -l)"
  return $status
}

cmake --preset fuzz > /dev/null && cmake --build --preset fuzz -- --quiet || exit 1
status=0
for target in "${targets[@]}"; do fuzz_one "$target" || status=1; done
exit $status
