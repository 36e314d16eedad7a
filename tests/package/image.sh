#!/usr/bin/env bash
# The container image, run by podman as a user would: read-only, without privileges, its tasks on a volume.
#
#   tests/package/image.sh DIRECTORY     where tools/image.sh has put it
#
# Needs root, podman and runc. Everything that podman keeps is in a folder of its own, removed at the end.
set -euo pipefail
image=$(echo "$1"/carillon-*.image.tar)
work=$(mktemp -d)
podman() {
  command podman --root "$work/store" --runroot "$work/run" --tmpdir "$work/tmp" --storage-driver vfs \
    --cgroup-manager cgroupfs --runtime runc --log-level fatal "$@"
}
clean_up() {
  podman rm --all --force --time 0 > /dev/null 2>&1 || true
  podman volume rm --all --force > /dev/null 2>&1 || true
  rm -rf "$work"
}
trap clean_up EXIT
fail() {
  echo "FAILED: $*" >&2
  podman logs carillon >&2 || true
  exit 1
}
start() {
  # Limits that also a machine takes whose root may not raise them. Without systemd there are no timers for health
  # checks: the one below is asked for.
  podman run --detach --name carillon --network none --read-only --cap-drop all --security-opt no-new-privileges \
    --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 --health-interval disable \
    --volume tasks:/var/lib/carillon "$name" > /dev/null
  for _ in {1..100}; do
    in_it ready > /dev/null 2>&1 && return
    podman ps --quiet | grep -q . || break
    sleep 0.1
  done
  fail "it is not ready"
}
in_it() { podman exec carillon carillon "$@"; }

name=$(podman load --quiet --input "$image" | sed 's/.*: //')
echo "== $name: $(podman image inspect --format '{{.Size}}' "$name") bytes, user $(podman image inspect --format '{{.User}}' "$name")"
start
pid=$(podman inspect --format '{{.State.Pid}}' carillon)
[[ $(sed -n 's/^NSpid:.*\s//p' "/proc/$pid/status") == 1 ]] || fail "it is not process 1"
[[ $(sed -n 's/^Uid:\s*\([0-9]*\).*/\1/p' "/proc/$pid/status") == 65532 ]] || fail "it runs as another user"
grep -q '^CapEff:\s*0*$' "/proc/$pid/status" || fail "it has capabilities"
[[ $(awk '$5 == "/" {print $6}' "/proc/$pid/mountinfo") == ro,* ]] || fail "its root can be written to"

echo "== a task, its health, and a stop"
in_it add --id kept --delay 1h --target http://127.0.0.1:9/ --payload '{}' > /dev/null
podman healthcheck run carillon || fail "its health check fails"
began=$SECONDS
podman stop --time 40 carillon > /dev/null
[[ $(podman inspect --format '{{.State.ExitCode}}' carillon) == 0 ]] || fail "SIGTERM does not stop it in order"
((SECONDS - began < 20)) || fail "it took $((SECONDS - began)) s to stop"
podman rm carillon > /dev/null

echo "== another container on the same volume has the task"
start
[[ $(in_it --json get kept) == *'"scheduled"'* ]] || fail "the task is gone"
podman stop --time 40 carillon > /dev/null
echo "the image works"
