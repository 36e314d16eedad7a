#!/usr/bin/env bash
# Installs what is missing, builds, and shows a cluster at work: three NATS servers, three nodes and a
# receiver on loopback. Tasks are added and some cancelled; while the rest fall due, a node is killed.
# Everything it starts it stops again, and what it wrote is removed, but for build/ and, where no
# nats-server is installed, the one that it fetched (tools/nats-server.sh).
set -euo pipefail
cd "$(dirname "$0")/.."

tasks=3000
cancelled=300

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
fail() {
  echo "try-cluster: $*" >&2
  tail -n 30 "$work"/*.log >&2
  exit 1
}
# until_holds SECONDS COMMAND...: until it succeeds.
until_holds() {
  local end=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    ((SECONDS < end)) || return 1
    sleep 0.1
  done
}

mkdir -p build
tools/setup.sh
nats=$(tools/nats-server.sh)
say "Building (some minutes the first time)"
[[ -e build/release/build.ninja ]] ||
  cmake --preset release -DCARILLON_TESTS=OFF -DCARILLON_BENCH=OFF > build/configure.log 2>&1 ||
  { cat build/configure.log; exit 1; }
cmake --build --preset release --target carillond carillon carillon-load -- --quiet
bin=$PWD/build/release/bin

work=$(mktemp -d)
started=()
stop_all() {
  for pid in "${started[@]}"; do kill -9 "$pid" 2> /dev/null && wait "$pid" 2> /dev/null || true; done
  rm -rf "$work"
}
trap stop_all EXIT

host=127.0.0.1
# Ports that nobody listens on now. If somebody takes one meanwhile the start fails, and says so.
ports=()
is_free() { ! (exec 3<> "/dev/tcp/$host/$1") 2> /dev/null; }
while ((${#ports[@]} < 9)); do
  port=$((RANDOM % 20000 + 10000))
  [[ " ${ports[*]} " != *" $port "* ]] && is_free "$port" && ports+=("$port")
done

say "Starting three NATS servers"
routes=$(printf "nats-route://$host:%s, " "${ports[@]:3:3}")
for i in 0 1 2; do
  cat > "$work/nats$i.conf" << EOF
server_name: n$i
listen: $host:${ports[i]}
max_payload: 4MB
jetstream { store_dir: "$work/nats$i", sync_interval: always }
cluster { name: try, listen: $host:${ports[i + 3]}, routes: [ ${routes%, } ] }
EOF
  "$nats" --config "$work/nats$i.conf" > "$work/nats$i.log" 2>&1 &
  started+=($!)
done
servers=$(printf '"nats://%s", ' "$host:${ports[0]}" "$host:${ports[1]}" "$host:${ports[2]}")

say "Starting three nodes; a cluster is made"
head -c 24 /dev/urandom | base64 > "$work/secret"
chmod 600 "$work/secret"
nodes=(a b c)
for i in 0 1 2; do
  cat > "$work/${nodes[i]}.toml" << EOF
listen = ["$host:${ports[i + 6]}"]
data_dir = "$work/${nodes[i]}"
[cluster]
name = "try"
node = "${nodes[i]}"
nats = [${servers%, }]
advertise = "http://$host:${ports[i + 6]}"
shards = 12
secret_file = "$work/secret"
stream_bytes_max = "64MiB"
EOF
  "$bin/carillond" --config "$work/${nodes[i]}.toml" 2> "$work/${nodes[i]}.log" &
  started+=($!)
  pids[i]=$!
done
"$bin/carillon-load" receive --listen $host:0 > "$work/received.txt" 2> "$work/receiver.log" &
receiver_pid=$!
started+=("$receiver_pid")
server=http://$host:${ports[6]}
other=http://$host:${ports[8]}
carillon() { "$bin/carillon" --server "$server" "$@"; }
shared() {
  local seen
  seen=$(carillon --json cluster)
  [[ $(grep -o '"owns":[1-9]' <<< "$seen" | wc -l) == 3 && $seen != *'"owner":null'* &&
    $seen != *'"followers":[]'* ]]
}
until_holds 60 shared || fail "the nodes did not share the shards"
receiver=$(sed -n 's/.*receiving on \(\S*\).*/\1/p' "$work/receiver.log")
carillon cluster

say "$tasks tasks, due one after the other from 8 to 14 seconds from now, added at node a"
"$bin/carillon-load" batch --server "$server" --target "$receiver" --ids 'user:{}' --count $tasks \
  --group coupon --delay 8s..14s --batch 500 -c 4

say "$cancelled of them cancelled, at node c"
ids=()
for ((i = 0; i < cancelled; ++i)); do ids+=("user:$((i * (tasks / cancelled)))"); done
"$bin/carillon" --server "$other" cancel "${ids[@]}" > /dev/null
"$bin/carillon" --server "$other" group show coupon

say "While they fall due, node b is killed (kill -9)"
due() { [[ $(carillon --json group show coupon | grep -o '"delivered":[0-9]*') > '"delivered":0' ]]; }
until_holds 30 due || fail "nothing was pushed"
kill -9 "${pids[1]}"
all_done() {
  carillon --json group show coupon | grep -q "\"delivered\":$((tasks - cancelled))[,}]"
}
until_holds 60 all_done || fail "not every task was delivered"
carillon cluster

say "Every task arrived, and none that was cancelled"
carillon group show coupon
kill -INT "$receiver_pid"
wait "$receiver_pid" || true
cat "$work/received.txt"
grep -q ", 0 early, 0 duplicates" "$work/received.txt" ||
  echo "(Duplicates carry the same webhook-id: node b had pushed them, and died before it could say so.)"

say "That is all. Next: docs/cluster.md"
