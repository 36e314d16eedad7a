#!/usr/bin/env bash
# Installs what Carillon needs on Debian 12 or 13, from Debian's own packages. Does nothing where all
# of it is there already.
#
#   tools/setup.sh           what the programs need
#   tools/setup.sh --tests   and what the tests and the benchmarks of parts need
#   tools/setup.sh --bench   what the programs need, and what bench/compare measures Carillon against
#   tools/setup.sh --package what the programs need, and what makes Debian packages of them
#   tools/setup.sh --release the same, and what makes the container image and the clients
#
# Debian starts the services it installs. So while this installs what tests and benchmarks push to, it
# says that none may be started, unless the machine has said something of its own about that.
set -euo pipefail
cd "$(dirname "$0")/.."

# "one|other": the first of them that the distribution has.
build_packages=(
  ca-certificates g++ cmake ninja-build
  "libboost-url1.83-dev|libboost-url1.81-dev" libssl-dev libdeflate-dev librocksdb-dev libsimdjson-dev libfmt-dev
  libnats-dev libhiredis-dev librabbitmq-dev librdkafka-dev libtomlplusplus-dev libcli11-dev prometheus-cpp-dev libjemalloc-dev
)
test_packages=(
  ccache libgtest-dev libgmock-dev libbenchmark-dev
  git clang-format-19 clang-tidy-19 clang-19 libclang-rt-19-dev python3 curl jq openssl strace
  chromium nghttp2-client slowhttptest valgrind wrk redis-server rabbitmq-server prometheus
  "default-jdk-headless|openjdk-17-jdk-headless"
)
bench_packages=(
  ccache libbenchmark-dev git python3 python3-pika wrk redis-server redis-tools beanstalkd rabbitmq-server
)
package_packages=(build-essential ccache debhelper dpkg-dev git lintian python3 systemd)
release_packages=(buildah curl "default-jdk-headless|openjdk-17-jdk-headless" python3-pip python3-setuptools python3-wheel)

with_tests=false
with_bench=false
with_package=false
with_release=false
case "${1:-}" in
  "") ;;
  --tests) with_tests=true ;;
  --bench) with_bench=true ;;
  --package) with_package=true ;;
  --release) with_package=true with_release=true ;;
  *) echo "usage: tools/setup.sh [--tests | --bench | --package | --release]" >&2; exit 2 ;;
esac

wanted=("${build_packages[@]}")
if $with_tests; then wanted+=("${test_packages[@]}"); fi
if $with_release; then wanted+=("${release_packages[@]}"); fi
if $with_tests || $with_release; then
  # Node may also have come from somewhere else than Debian; then npm is no package of its own.
  command -v node > /dev/null || wanted+=(nodejs)
  command -v npm > /dev/null || wanted+=(npm)
fi

if $with_bench; then wanted+=("${bench_packages[@]}"); fi
if $with_package; then wanted+=("${package_packages[@]}"); fi

is_installed() {
  [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2> /dev/null) == installed ]]
}
is_known() { [[ -n $(apt-cache show "$1" 2> /dev/null) ]]; }
# first_that TEST "ONE|OTHER": prints the first that passes.
first_that() {
  local package
  for package in ${2//|/ }; do
    "$1" "$package" && echo "$package" && return
  done
  return 1
}
missing=()
for package in "${wanted[@]}"; do
  first_that is_installed "$package" > /dev/null || missing+=("$package")
done

if ((${#missing[@]})); then
  as_root=()
  if (($(id -u) != 0)); then
    command -v sudo > /dev/null || {
      echo "setup: not root and no sudo; as root: apt-get install ${missing[*]//|/ or }" >&2
      exit 1
    }
    as_root=(sudo)
  fi
  echo "setup: installing ${missing[*]//|/ or }"
  log=$(mktemp)
  policy=/usr/sbin/policy-rc.d
  own_policy=false
  clean_up() {
    rm -f "$log"
    if $own_policy; then "${as_root[@]}" rm -f "$policy"; fi
  }
  trap clean_up EXIT
  apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" \
      > "$log" 2>&1 || { cat "$log" >&2; exit 1; }
  }
  if { $with_tests || $with_bench; } && [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" > /dev/null
    own_policy=true
    "${as_root[@]}" chmod 755 "$policy"
  fi
  apt update
  packages=()
  for package in "${missing[@]}"; do
    packages+=("$(first_that is_known "$package")") || {
      echo "setup: this system has no package ${package//|/ or }; Debian 12 and 13 do" >&2
      exit 1
    }
  done
  apt install --yes --no-install-recommends "${packages[@]}"
fi

if $with_tests; then tools/nats-server.sh > /dev/null; fi

folders=()
if $with_tests; then folders+=(tests/npm); fi
if $with_tests || $with_release; then folders+=(clients/typescript); fi
for folder in "${folders[@]}"; do
  # npm leaves its own lock file beside what it installed: older than ours means out of date.
  if [[ ! $folder/node_modules/.package-lock.json -nt $folder/package-lock.json ]]; then
    echo "setup: npm ci in $folder"
    npm ci --prefix "$folder" --loglevel=error --no-audit --no-fund > /dev/null
    touch "$folder/node_modules/.package-lock.json"
  fi
done
