#!/usr/bin/env bash
# Makes what a release of HEAD consists of, from a clean clone: packages and container image for the Debian that this
# machine runs, the clients, the source, and the SHA-256 sums of all of it.
#
#   tools/release.sh [DIRECTORY]           build/dist, unless told otherwise
#   tools/release.sh --twice [DIRECTORY]   and once more in another place, without ccache; says which files differ
#
# The same commit is to give the same bytes on the same packages of Debian, which --twice tries: times are those of
# debian/changelog. Only the image has a random id beside its layer. What Debian's tools write about a build
# (.buildinfo, .changes) says when and where it ran, so it is no part of a release.
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD
twice=false
if [[ ${1:-} == --twice ]]; then
  twice=true
  shift
fi
out=$(realpath -m "${1:-build/dist}")

# make DIRECTORY: all but the sums.
make() {
  local clone version
  clone=$(mktemp -d)
  git clone -q "$repository" "$clone/carillon"
  cd "$clone/carillon"
  tools/setup.sh --release
  version=$(dpkg-parsechangelog --show-field Version)
  version=${version%-*}
  SOURCE_DATE_EPOCH=$(dpkg-parsechangelog --show-field Timestamp)
  export SOURCE_DATE_EPOCH

  tools/package.sh "$clone/built"
  tools/image.sh "$clone/built"
  clients/build.sh "$clone/clients"
  # Debian's own Python has the packages that tools/setup.sh installs.
  /usr/bin/python3 -m pip wheel --quiet --no-deps --no-index --no-build-isolation --wheel-dir "$clone/clients" clients/python
  git archive --prefix="carillon-$version/" HEAD | gzip -9n > "$clone/carillon-$version.tar.gz"

  rm -rf "$1"
  mkdir -p "$1"
  mv "$clone"/built/*.{deb,dsc,tar.*,tar} "$clone"/clients/*.{tgz,whl} "$clone/carillon-$version.tar.gz" "$1"
  mv "$clone/clients/java/carillon-client.jar" "$1/carillon-client-$version.jar"
  cd "$repository"
  rm -rf "$clone"
}

make "$out"
(cd "$out" && sha256sum -- * > SHA256SUMS && cat SHA256SUMS)
$twice || exit 0

again=$(mktemp -d)
trap 'rm -rf "$again"' EXIT
CCACHE_DISABLE=1 make "$again/dist"
same=true
for file in "$out"/*; do
  case $file in
    */SHA256SUMS) ;;
    # All but the random id of the container that it was built in.
    *.image.tar) cmp <(tar -xOf "$file" --wildcards '*.tar') <(tar -xOf "$again/dist/$(basename "$file")" --wildcards '*.tar') || same=false ;;
    *) cmp "$file" "$again/dist/$(basename "$file")" || same=false ;;
  esac
done
$same || { echo "release: the files above differ from one build to the next" >&2; exit 1; }
echo "release: the same bytes twice"
