#!/usr/bin/env bash
# Builds the Debian packages of HEAD from a clean clone, for the Debian that this machine runs, and has lintian
# and systemd-analyze judge them.
#
#   tools/package.sh [DIRECTORY [VERSION]]   build/packages, and the version of debian/changelog, unless told otherwise
#
# A package fits the Debian that it was built on, since libraries differ: its version ends in ~deb12 or ~deb13. The
# same commit gives the same bytes: times are those of debian/changelog, and paths below the clone are left out.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "${1:-build/packages}")
work=$PWD/build/package
exposure_max=15   # of the systemd unit, in tenths; nothing is worse than 100

tools/setup.sh --package
rm -rf "$work"
mkdir -p "$work"
git clone -q . "$work/carillon"
cd "$work/carillon"
version=${2:-$(dpkg-parsechangelog --show-field Version)}~deb$(. /etc/os-release && echo "${VERSION_ID%%.*}")
sed -i "1s/(.*)/($version)/" debian/changelog
git archive --prefix="carillon-${version%%-*}/" HEAD -- . ':!debian' | gzip -9n > "../carillon_${version%%-*}.orig.tar.gz"

# No path gets into the objects (dpkg's -ffile-prefix-map), so those of another clone fit. debhelper hides $HOME.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 CCACHE_COMPILERCHECK=content
CCACHE_DIR=${CCACHE_DIR:-$(ccache --get-config cache_dir)}
export CCACHE_DIR
if ! dpkg-buildpackage --unsigned-source --unsigned-changes > ../log 2>&1; then
  tail -50 ../log >&2
  echo "package: the build failed; all of it is in $work/log" >&2
  exit 1
fi
cd ..
systemd-analyze security --offline=true --threshold=$exposure_max \
  "$(find carillon/debian/carillon -name carillond.service)" > exposure || { cat exposure >&2; exit 1; }
lintian --allow-root --fail-on error,warning carillon_*.changes
mkdir -p "$out"
mv carillon*_"$version"* carillon_*.orig.tar.gz "$out"
echo "package: $version in $out:"
(cd "$out" && ls -- *_"$version"*.deb)
