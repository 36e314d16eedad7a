#!/usr/bin/env bash
# Installs what is missing, builds, and shows Carillon at work: one task fires, another is cancelled.
# Everything it starts it stops again, and what it wrote is removed, but for build/.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
show() {
  printf '$ %s\n' "carillon ${*@Q}"
  "$bin/carillon" --server "$server" "$@"
}
# wait_for TEXT FILE: until TEXT is in FILE, 10 seconds at most.
wait_for() {
  for _ in {1..100}; do
    grep -q -- "$1" "$2" 2> /dev/null && return
    sleep 0.1
  done
  echo "try: no \"$1\" came:" >&2
  cat "$2" >&2
  exit 1
}
state_of() { "$bin/carillon" --server "$server" --json get "$1" | grep -o '"state":"[a-z]*"'; }

mkdir -p build
tools/setup.sh
say "Building (some minutes the first time)"
# The programs alone need neither Python nor the packages of the tests. What is configured with tests
# stays so: its packages are there.
[[ -e build/release/build.ninja ]] ||
  cmake --preset release -DCARILLON_TESTS=OFF -DCARILLON_BENCH=OFF > build/configure.log 2>&1 ||
  { cat build/configure.log; exit 1; }
cmake --build --preset release --target carillond carillon carillon-load -- --quiet
bin=$PWD/build/release/bin

work=$(mktemp -d)
started=()
stop_all() {
  for pid in "${started[@]}"; do kill "$pid" 2> /dev/null && wait "$pid" || true; done
  rm -rf "$work"
}
trap stop_all EXIT

say "Starting the server and a receiver"
"$bin/carillond" --listen 127.0.0.1:0 --data-dir "$work/data" 2> "$work/server.log" &
server_pid=$!
started+=("$server_pid")
"$bin/carillon-load" receive --listen 127.0.0.1:0 > "$work/received.txt" 2> "$work/receiver.log" &
receiver_pid=$!
started+=("$receiver_pid")
wait_for ' ready' "$work/server.log"
wait_for 'receiving on' "$work/receiver.log"
server=$(sed -n 's/.*listening on \(\S*\).*/\1/p' "$work/server.log" | head -1)
receiver=$(sed -n 's/.*receiving on \(\S*\).*/\1/p' "$work/receiver.log")
cat "$work/server.log"
echo "receiver: $receiver"

say "A reminder, due in two seconds"
show add --id reminder --delay 2s --target "$receiver" --payload '{"say":"the coupon opens"}'

say "A time-out, due in three seconds, and the order is paid in time: cancelled"
show add --id order-17-unpaid --delay 3s --target "$receiver" --payload '{"order":17}'
show cancel order-17-unpaid

say "Waiting for the reminder"
for _ in {1..100}; do
  [[ $(state_of reminder) == '"state":"delivered"' ]] && break
  sleep 0.1
done
sleep 2
show get reminder

say "What the receiver got, one second after the cancelled one would have been due"
kill -INT "$receiver_pid"
wait "$receiver_pid" || true
cat "$work/received.txt"

[[ $(state_of reminder) == '"state":"delivered"' ]]
[[ $(state_of order-17-unpaid) == '"state":"cancelled"' ]]

say "Stopping the server"
kill -TERM "$server_pid"
wait "$server_pid"
tail -2 "$work/server.log"

say "That is all. Next: README.md, and build/release/bin/carillond --help"
