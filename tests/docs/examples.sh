#!/usr/bin/env bash
# Runs the examples of the documentation against a real server: each fenced block marked `sh example`, and the
# applications in docs/examples, of which the one in C++ is built already. An example that fails, or that the server
# refuses, fails the test.
#
#   tests/docs/examples.sh BIN_DIRECTORY FILE.md...
set -euo pipefail
bin=$1
shift
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
started=()
stop_all() {
  for pid in "${started[@]}"; do kill "$pid" 2> /dev/null && wait "$pid" || true; done
  rm -rf "$work"
}
trap stop_all EXIT

# start NAME PATTERN PROGRAM...: starts it, waits for the line, prints what the pattern's group matched.
start() {
  local name=$1 pattern=$2
  shift 2
  "$@" > "$work/$name.out" 2> "$work/$name.log" &
  local pid=$!
  started+=("$pid")
  until grep -Eq "$pattern" "$work/$name.log" 2> /dev/null; do
    kill -0 "$pid" || { cat "$work/$name.log" >&2; exit 1; }
    sleep 0.02
  done
  address=$(sed -nE "s/.*$pattern.*/\1/p" "$work/$name.log" | head -n 1)
}

run_examples() {
  awk '/^```sh example$/ {on = 1; next} /^```$/ {if (on) print ""; on = 0} on' "$1" > "$work/examples.sh"
  [[ -s $work/examples.sh ]] || { echo "no examples in $1" >&2; exit 1; }
  sed -i "s#http://127.0.0.1:8080#$server#g; s#http://127.0.0.1:9000#$receiver#g; s#127.0.0.1:6379#$redis#g" "$work/examples.sh"
  {
    echo 'set -euo pipefail'
    # The examples leave errors to the reader's eyes; here the exit code must tell.
    echo 'curl() { command curl --fail-with-body "$@"; echo; }'
    cat "$work/examples.sh"
  } > "$work/run.sh"
  (cd "$work" && CARILLON_SERVER=$server PATH=$bin:$PATH bash "$work/run.sh")
}

start receiver 'receiving on (\S+)' "$bin/carillon-load" receive --listen 127.0.0.1:0
receiver=${address%/}
redis=127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
start redis '(Ready) to accept' redis-server --bind 127.0.0.1 --port "${redis#*:}" --dir "$work" --save "" --logfile /dev/stderr
start server 'listening on (\S+)' "$bin/carillond" --listen 127.0.0.1:0 --data-dir "$work/data" \
  --clock manual
server=$address
until curl -sf "$server/readyz" > "$work/ready"; do :; done
for file in "$@"; do
  echo "== $file"
  run_examples "$file"
done
for app in "$top"/docs/examples/*.mjs; do
  echo "== $app"
  timeout 60 node "$app" "$server"
done
echo "== docs/examples/unpaid-order.cc"
timeout 60 "$bin/docs_unpaid_order" "$server"
echo "all examples ran"
