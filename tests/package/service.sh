# shellcheck shell=bash
# Sourced by the tests of the package: runs the installed server as its systemd unit says, and a receiver.
# Both end with the script.
started=()
work=$(mktemp -d)
cd "$work" || exit
stop_all() {
  for pid in "${started[@]}"; do kill "$pid" 2> /dev/null && wait "$pid" || true; done
  rm -rf "$work"
}
trap stop_all EXIT

say() { printf '\n== %s\n' "$*"; }
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
# until_log TEXT FILE: 30 seconds at most.
until_log() {
  for _ in {1..300}; do
    grep -q -- "$1" "$2" 2> /dev/null && return
    sleep 0.1
  done
  cat "$2" >&2
  fail "no \"$1\" came"
}
install_package() {
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 install --yes --no-install-recommends "$1" > install.log 2>&1 ||
    { cat install.log >&2; fail "$1 cannot be installed"; }
}
as_service() { (cd / && exec setpriv --reuid carillon --regid carillon --init-groups --inh-caps=-all "$@"); }
start_server() {
  local command
  read -ra command <<< "$(sed -n 's/^ExecStart=//p' "$(dpkg -L carillon | grep 'carillond.service$')")"
  (cd /var/lib/carillon && exec setpriv --reuid carillon --regid carillon --init-groups --inh-caps=-all "${command[@]}") \
    2> server.log &
  server_pid=$!
  started+=("$server_pid")
  until_log ' ready' server.log
  carillon ready
}
stop_server() {
  kill -TERM "$server_pid"
  wait "$server_pid" || { cat server.log >&2; fail "the server ended with $?"; }
}
start_receiver() {
  carillon-load receive --listen 127.0.0.1:9000 > received.txt 2> receiver.log &
  receiver_pid=$!
  started+=("$receiver_pid")
  until_log 'receiving on' receiver.log
  receiver=http://127.0.0.1:9000/
}
