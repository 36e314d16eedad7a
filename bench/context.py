"""What a row needs to measure: sizes, rounds, servers, the load programs, and checks of the outcome."""

import contextlib
import json
import os
import shutil
import subprocess
import time

from bench import servers

NOWHERE = "http://127.0.0.1:9/"  # the target of tasks that do not fall due within a run
FAR = "1h..24h"                  # their delay


class Bench:
    def __init__(self, binaries, work_dir, rounds, quick, full):
        self.binaries, self.work_dir = binaries, work_dir
        self.rounds, self.quick, self.full = rounds, quick, full
        self.checks, self.notes, self.places = [], [], 0
        self.stack = contextlib.ExitStack()  # what outlives a row, ended at the end of the run
        self.shared = {}

    def size(self, full, quick):
        return quick if self.quick else full

    def has(self, kind):
        """Whether a peer is measured; where not, the row says so and goes on without it."""
        name = servers.PEERS[kind].name
        if self.quick and kind == "rabbitmq":
            note = f"{name} is left out of smoke runs: it starts longer than all the rest takes."
        elif servers.available(kind):
            return True
        else:
            note = f"{name} is not installed on this machine, so it is not measured."
        if note not in self.notes:
            self.notes.append(note)
        return False

    def closed_loop(self, duration, count):
        """How long a closed loop goes on: in a smoke run for a count, which comes to its end however
        busy the machine is."""
        return ("--count", count) if self.quick else ("--duration", duration)

    def say(self, words):
        print(f"{time.strftime('%H:%M:%S')}   {words}", flush=True)

    # Servers

    def directory(self, name):
        self.places += 1
        return os.path.join(self.work_dir, f"{self.places:03}-{name}")

    def new(self, kind):
        return kind(self.directory(kind.name.lower()))

    def carillon(self):
        return servers.running(self.new(servers.Carillon))

    def peer(self, kind):
        return servers.running(self.new(servers.PEERS[kind]))

    # Load

    def program(self, name):
        return os.path.join(self.binaries, name)

    def start(self, name, *words):
        words = [self.program(name), *map(str, words)]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self, process):
        """What a load program printed; a run that was wrong or incomplete is a failed check."""
        out, err = process.communicate()
        what = " ".join([os.path.basename(process.args[0]), *process.args[1:2]])
        if not out.startswith("{"):
            raise RuntimeError(f"{' '.join(process.args)}: {err or out}")
        result = json.loads(out)
        wrong = {key: result[key] for key in ("refused", "unanswered", "early", "duplicates",
                                              "no_pushes") if result.get(key)}
        self.check(f"{what}: nothing refused, lost, early or twice", {}, wrong)
        return result

    def load(self, server, command, *words):
        return self.finish(self.start_load(server, command, *words))

    def start_load(self, server, command, *words):
        if command not in ("cancel", "get") and "--target" not in words:
            words += ("--target", NOWHERE)
        return self.start("carillon-load", command, "--server", server.url, "--json", *words)

    def peer_load(self, server, command, *words):
        return self.finish(self.start_peer_load(server, command, *words))

    def start_peer_load(self, server, command, *words):
        return self.start("peer_load", command, "--server", server.address, *words)

    @contextlib.contextmanager
    def receiver(self, *words):
        """A receiver of pushes: yields it with its `url`; `close_receiver` gives what it got."""
        process = self.start("carillon-load", "receive", "--json", *words)
        try:
            process.url = process.stderr.readline().split()[-1]
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.communicate()

    def close_receiver(self, process):
        process.terminate()
        return self.finish(process)

    # Outcomes

    def check(self, what, expected, got):
        self.checks.append({"what": what, "expected": expected, "got": got, "ok": expected == got})
        if expected != got:
            self.say(f"FAILED: {what}: expected {expected}, got {got}")

    def take_outcome(self):
        checks, notes = self.checks, self.notes
        self.checks, self.notes = [], []
        return checks, notes

    def close(self):
        self.stack.close()
        shutil.rmtree(self.work_dir, ignore_errors=True)


def moment(seconds):
    """A Unix time as RFC 3339, rounded down to milliseconds."""
    whole, fraction = divmod(int(seconds * 1000), 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{fraction:03}Z"


def wait_until_confirmed(server, due):
    """Microseconds after `due` until all are delivered; a little more than it took, as it is asked."""
    while sum(server.call("GET", "/v1/stats")["counts"][state]
              for state in ("scheduled", "firing", "retrying")) > 0:
        if time.time() > due + 120:
            raise RuntimeError("not all that was received was confirmed")
        time.sleep(0.005)
    return round((time.time() - due) * 1e6)


def tail(result, key="latency_us"):
    """The figures of a load program that a row keeps."""
    histogram = result[key]
    return {"per_second": result.get("tasks_per_second", 0), "p50": histogram["p50"],
            "p99": histogram["p99"], "p999": histogram["p99.9"], "max": histogram["max"]}
