#!/usr/bin/env bash
# Builds the container image from the package that tools/package.sh has made, without anything but that: the
# programs, the libraries that they load, their licences, and the certificates of the public authorities.
#
#   tools/image.sh [DIRECTORY]     where the package is and the image goes; default: build/packages
#
# Makes DIRECTORY/carillon-VERSION.image.tar, which `docker load` and `podman load` take. Needs root, and the Debian
# that the package was built on, whose libraries it takes. The same package gives the same layer; beside it, Docker's
# format has the random id of the container that the image was built in.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "${1:-build/packages}")
size_max=80000000
user=65532   # a number that no system gives to anybody

tools/setup.sh --release
package=$(echo "$out"/carillon_*.deb)
[[ -f $package ]] || { echo "image: $out has not one package of Carillon; tools/package.sh makes it" >&2; exit 1; }
version=$(dpkg-deb --field "$package" Version)
epoch=$(dpkg-parsechangelog --show-field Timestamp)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root"/etc/ssl/certs "$root"/usr/lib "$root"/usr/lib64 "$root/var/lib/carillon"
ln -s usr/lib usr/lib64 "$root"

dpkg-deb --fsys-tarfile "$package" |
  tar --extract --directory "$root" ./usr/bin ./usr/share/doc/carillon/copyright
# "libz.so.1 => /lib/.../libz.so.1 (0x...)", and the loader without "=>"
ldd "$root"/usr/bin/* | grep -o '/\S* (0x' | sed 's/ (0x//' | sort -u > "$work/libraries"
while read -r library; do
  install -D --mode 755 "$library" "$root$(realpath "$(dirname "$library")")/$(basename "$library")"
  # By name: the database has some files below /lib, which is below /usr by now.
  dpkg --search "*/$(basename "$(realpath "$library")")" | cut -d: -f1
done < "$work/libraries" | sort -u > "$work/packages"
while read -r name; do
  install -D --mode 644 "/usr/share/doc/$name/copyright" "$root/usr/share/doc/$name/copyright"
done < "$work/packages"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
echo "carillon:x:$user:$user:Carillon:/var/lib/carillon:/usr/sbin/nologin" > "$root/etc/passwd"
echo "carillon:x:$user:" > "$root/etc/group"
echo "hosts: files dns" > "$root/etc/nsswitch.conf"
chown $user:$user "$root/var/lib/carillon"
chmod 700 "$root/var/lib/carillon"
find "$root" -exec touch --no-dereference --date "@$epoch" {} +
bytes=$(du --bytes --summarize "$root" | cut -f1)
((bytes <= size_max)) || { echo "image: $bytes bytes; at most $size_max" >&2; exit 1; }

# Buildah's own store stays as it is.
buildah() { command buildah --root "$work/store" --runroot "$work/run" --storage-driver vfs --log-level error "$@"; }
container=$(buildah from --format docker scratch)
cp -a "$root/." "$(buildah mount "$container")"   # `buildah add` would make root the owner of all
buildah umount "$container" > /dev/null
buildah config --user $user:$user --hostname carillon --workingdir /var/lib/carillon --volume /var/lib/carillon \
  --env CARILLON_DATA_DIR=/var/lib/carillon/data --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
  --env PATH=/usr/bin --port 8080 --stop-signal SIGTERM --entrypoint '["/usr/bin/carillond"]' \
  --healthcheck 'CMD /usr/bin/carillon --timeout 2s ready' --healthcheck-interval 10s --healthcheck-timeout 3s \
  --healthcheck-start-period 60s --label org.opencontainers.image.title=carillon \
  --label "org.opencontainers.image.version=$version" --label org.opencontainers.image.licenses=Apache-2.0 "$container"
# Health checks are a thing of Docker's format alone.
image=$(buildah commit --quiet --format docker --timestamp "$epoch" --rm "$container" carillon:"${version%%-*}")
rm -f "$out/carillon-$version.image.tar"
buildah push --quiet "$image" "docker-archive:$out/carillon-$version.image.tar:carillon:${version%%-*}"
echo "image: carillon:${version%%-*}, $bytes bytes of files, in $out/carillon-$version.image.tar"
