#!/usr/bin/env bash
# The life of the package on the Debian where this runs: install, upgrade, remove, install again, purge.
#
#   tests/package/life.sh DIRECTORY_OF_THE_OLD DIRECTORY_OF_THE_NEW
#
# For a system that may be spoilt, such as that of tools/bare.sh. As no systemd runs there, the server is
# started here, as the unit says; what the maintainer scripts tell systemd is not tried.
set -euo pipefail
# shellcheck source=tests/package/service.sh
. "$(dirname "$0")/service.sh"
old=$(echo "$1"/carillon_*.deb)
new=$(echo "$2"/carillon_*.deb)

is() { [[ $1 == "$2" ]] || fail "\"$1\", not \"$2\""; }
owner_and_mode() { stat -c '%U:%G %a' "$1"; }
state() { carillon --json get "$1" | grep -o '"state":"[a-z]*"'; }

say "Install $(basename "$old")"
apt-get -qq update
install_package "$old"
is "$(owner_and_mode /etc/carillon)" "root:carillon 750"
is "$(owner_and_mode /etc/carillon/carillon.toml)" "root:carillon 640"
is "$(owner_and_mode /var/lib/carillon)" "carillon:carillon 700"
is "$(getent passwd carillon | cut -d: -f6,7)" "/var/lib/carillon:/usr/sbin/nologin"
carillond --check-config --config /etc/carillon/carillon.toml
for file in /usr/bin/{carillond,carillon,carillon-load,carillon-replay} /usr/share/bash-completion/completions/carillon \
  /usr/share/man/man{8/carillond.8,5/carillon.toml.5,1/carillon.1,1/carillon-load.1,1/carillon-replay.1}.gz; do
  [[ -s $file ]] || fail "$file is missing or empty"
done

say "Tasks, and a line of the administrator's in the configuration"
echo 'retain_finished = "2h"' > settings
cat /etc/carillon/carillon.toml >> settings
cp settings /etc/carillon/carillon.toml
echo 0123456789abcdef0123456789abcdef > /etc/carillon/other.token
start_server
start_receiver
carillon target put shop --url "$receiver"
for id in kept pushed cancelled; do carillon add --id $id --delay 20d --target shop --payload "{\"id\":\"$id\"}" > /dev/null; done
carillon cancel cancelled
stop_server

say "Upgrade to $(basename "$new")"
install_package "$new"
is "$(dpkg-query --show --showformat='${Version}' carillon)" "$(dpkg-deb --field "$new" Version)"
cmp settings /etc/carillon/carillon.toml || fail "the upgrade changed the configuration"
is "$(owner_and_mode /etc/carillon/carillon.toml)" "root:carillon 640"
start_server
is "$(state kept)" '"state":"scheduled"'
is "$(state cancelled)" '"state":"cancelled"'
carillon push pushed
for _ in {1..100}; do [[ $(state pushed) == *delivered* ]] && break; sleep 0.1; done
is "$(state pushed)" '"state":"delivered"'
stop_server
as_service carillon-replay verify /var/lib/carillon/data

say "Remove: configuration and tasks stay"
apt-get -qq remove --yes carillon > /dev/null
[[ ! -e /usr/bin/carillond ]] || fail "the server is still there"
[[ -e /etc/carillon/carillon.toml && -e /var/lib/carillon/data ]] || fail "something is gone that should stay"

say "Install again: they are used"
install_package "$new"
start_server
is "$(state kept)" '"state":"scheduled"'
stop_server

say "Purge: both go, but for what the administrator has put beside them"
apt-get -qq purge --yes carillon > /dev/null
is "$(find / -xdev -iname '*carillon*' -not -path '/root/*' -not -path '/var/cache/*' -not -path '/tmp/*' -print | sort | xargs)" "/etc/carillon"
is "$(ls /etc/carillon)" other.token
id carillon > /dev/null || fail "the user is gone, whose files may be elsewhere"
say "Install, upgrade, remove and purge work"
