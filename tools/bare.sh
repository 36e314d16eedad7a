#!/usr/bin/env bash
# Runs a command in a bare Debian: a fresh minimal system in a folder, where nothing is installed but what
# debootstrap installs. So what set-up forgets is found before a newcomer finds it.
#
#   tools/bare.sh [bookworm|trixie] [COMMAND]     bookworm and tools/try.sh, unless told otherwise
#
# COMMAND runs in a clone of HEAD. Exit status: COMMAND's; 77 where there is no root or no debootstrap.
# The folder $CARILLON_BARE_SHARED, if set, is there as /root/shared.
# The minimal system, the packages that were fetched and what was compiled are kept in $CARILLON_BARE, by
# default /var/cache/carillon-bare, for the next run. For this ccache is there from the beginning; nothing that
# builds Carillon comes with it.
#
# Everything is mounted in a mount namespace of its own, so all is unmounted when the command ends, however
# it ends; and what is removed afterwards is removed from where none of it is mounted.
set -euo pipefail

suite=${1:-bookworm}
command=${2:-tools/try.sh}
repository=$(cd "$(dirname "$0")/.." && pwd)
kept=${CARILLON_BARE:-/var/cache/carillon-bare}
base=$kept/$suite
skip() {
  echo "bare: skipped: $1"
  exit 77
}

[[ $suite == bookworm || $suite == trixie ]] || { sed -n '5s/^# *//p' "$0" >&2; exit 2; }
(($(id -u) == 0)) || skip "only root can make a bare system"
unshare --mount --pid --fork true 2> /dev/null || skip "this system allows no namespaces"
if ! command -v debootstrap > /dev/null; then
  { apt-get -qq update && apt-get -qq install -y debootstrap; } > /dev/null 2>&1 || skip "debootstrap cannot be had"
fi

mkdir -p "$kept"
if [[ ! -e $base/whole ]]; then
  rm -rf --one-file-system "$base"
  mkdir -p "$base/packages" "$base/ccache"
  debootstrap --variant=minbase --include=ccache "$suite" "$base/system" > "$base/log" 2>&1 ||
    skip "debootstrap failed, perhaps for want of a network; see $base/log"
  touch "$base/whole"
fi
root=$(mktemp -d "$kept/$suite.XXXXXX")
trap 'rm -rf --one-file-system "$root"' EXIT
cp -a "$base/system/." "$root/"
cp /etc/resolv.conf "$root/etc/"
# Nobody needs this system after a crash, and dpkg's syncs take minutes on a busy disk.
echo force-unsafe-io > "$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
# As an installed Debian has them.
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost\n' > "$root/etc/hosts"
git clone -q "$repository" "$root/root/carillon" || skip "the checkout cannot be cloned"
variables=(CI=true HOME=/root CCACHE_DIR=/root/ccache PATH=/usr/sbin:/usr/bin:/sbin:/bin)
# npm needs the certificates that this machine trusts.
if [[ -n ${NODE_EXTRA_CA_CERTS:-} ]]; then
  cp "$NODE_EXTRA_CA_CERTS" "$root/root/extra-ca.crt"
  variables+=(NODE_EXTRA_CA_CERTS=/root/extra-ca.crt)
fi

began=$SECONDS
status=0
unshare --mount --propagation private --pid --fork --kill-child bash -euc '
  root=$1
  mount -t proc proc "$root/proc"
  mount --rbind /sys "$root/sys"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs shm "$root/dev/shm"
  mount --bind "$2/packages" "$root/var/cache/apt/archives"
  mkdir "$root/root/ccache"
  mount --bind "$2/ccache" "$root/root/ccache"
  mkdir "$root/root/shared"
  [[ -z $4 ]] || mount --bind "$4" "$root/root/shared"
  exec chroot "$root" env -i "${@:5}" bash -c "cd /root/carillon && $3"
' bare "$root" "$base" "$command" "${CARILLON_BARE_SHARED:-}" "${variables[@]}" || status=$?
echo "bare: $command in a bare Debian ($suite): $( ((status == 0)) && echo passed || echo "failed with $status"), $((SECONDS - began)) s"
exit $status
