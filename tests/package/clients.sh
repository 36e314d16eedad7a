#!/usr/bin/env bash
# A release, used as a reader of the documents would, on the Debian where this runs: the package is installed and
# started, a task added with each client, received, looked for in the data directory, and all of it removed again.
#
#   tests/package/clients.sh DIRECTORY     what tools/release.sh made
#
# For a system that may be spoilt, such as that of tools/bare.sh. Prints each command before it runs.
set -euo pipefail
# shellcheck source=tests/package/service.sh
. "$(dirname "$0")/service.sh"
dist=$1
show() {
  printf '$ %s\n' "$*"
  "$@"
}
file() {
  printf '$ cat %s\n' "$1"
  tee "$1"
}

say "$(. /etc/os-release && echo "$PRETTY_NAME"): install"
show env --chdir="$dist" sha256sum --check --ignore-missing SHA256SUMS
show apt-get -qq update
show install_package "$(echo "$dist"/carillon_*.deb)"
show dpkg-query --show --showformat='${Package} ${Version} ${db:Status-Status}\n' carillon
show apt-get -qq install --yes --no-install-recommends curl nodejs python3 default-jdk-headless > apt.log 2>&1
echo "and for the clients: curl $(curl --version | cut -d' ' -f2 | head -n 1), node $(node --version), $(python3 --version), $(java --version | head -n 1)"

say "Start it, as its systemd unit does, and a receiver"
start_server
cat server.log
start_receiver
server=http://127.0.0.1:8080

say "Add a task from each client, due in two seconds"
show curl --silent --show-error --fail -X PUT $server/v1/targets/shop -H 'content-type: application/json' -d '{"url": "http://127.0.0.1:9000/"}'
echo
show curl --silent --show-error --fail $server/v1/tasks -H 'content-type: application/json' \
  -d '{"id": "from-curl", "delay": "2s", "target": "shop", "payload": {"hello": "curl"}}'
echo
show carillon add --id from-cli --delay 2s --target shop --payload '{"hello": "cli"}'

mkdir -p node_modules/carillon-client
tar --extract --strip-components 1 --directory node_modules/carillon-client --file "$(echo "$dist"/carillon-client-*.tgz)"
file add.mjs << 'END'
import { Carillon } from "carillon-client";
const carillon = new Carillon("http://127.0.0.1:8080");
const task = await carillon.createTask({ id: "from-typescript", delay: "2s", target: "shop", payload: { hello: "TypeScript" } });
console.log(task.id, task.state, task.due_at);
END
show node add.mjs

file add.py << 'END'
import carillon
client = carillon.Client("http://127.0.0.1:8080")
task = client.create_task(id="from-python", delay="2s", target="shop", payload={"hello": "Python"})
print(task.id, task.state, task.due_at)
END
show env PYTHONPATH="$(echo "$dist"/carillon_client-*.whl)" python3 add.py

file Add.java << 'END'
import io.carillon.client.CarillonClient;
import io.carillon.client.model.NewTask;
import java.time.Duration;
import java.util.Map;

class Add {
  public static void main(String[] arguments) {
    var carillon = CarillonClient.create("http://127.0.0.1:8080");
    var task = carillon.createTask(NewTask.builder().id("from-java").delay(Duration.ofSeconds(2)).target("shop")
        .payload(Map.of("hello", "Java")).build());
    System.out.println(task.id() + " " + task.state() + " " + task.dueAt());
  }
}
END
show java -cp "$(echo "$dist"/carillon-client-*.jar)" Add.java

say "And one that is cancelled"
show carillon add --id cancelled --delay 1h --target shop --payload '{}'
show carillon cancel cancelled

say "Received"
ids=(from-curl from-cli from-typescript from-python from-java)
for id in "${ids[@]}"; do
  for _ in {1..100}; do [[ $(carillon --json get "$id") == *'"delivered"'* ]] && break; sleep 0.1; done
  [[ $(carillon --json get "$id") == *'"delivered"'* ]] || fail "$id was not delivered"
done
show carillon list --state delivered
show carillon list --state cancelled
kill -INT "$receiver_pid"
wait "$receiver_pid" || true
cat received.txt
grep -q "0 early, 0 duplicates" received.txt || fail "not each once, and on time"

say "Stop, and verify the data directory"
stop_server
show as_service carillon-replay verify /var/lib/carillon/data
show as_service carillon-replay summary /var/lib/carillon/data

say "Remove"
show apt-get -qq purge --yes carillon > /dev/null
show ls /var/lib/carillon /etc/carillon 2>&1 && fail "something is left"
say "A task from each of ${#ids[@]} clients was delivered"
