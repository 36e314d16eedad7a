"""Row 11: what it costs to have one standing by."""

import os
import shutil
import subprocess
import time

from bench import figures, servers

NUMBER = "11"
TITLE = "Standing by: an idle server"
WHAT = """
Servers with nothing to do and nothing stored, settings as in the other rows, watched over 20 s from
a second after their start, all at the same time. Wake-ups are voluntary context switches of all
threads. *Start to ready* is on an empty directory, until the first good answer (Carillon:
`/readyz`; Redis: `PING`; beanstalkd: `stats`; RabbitMQ: its port is open), median of 20 (RabbitMQ:
1). The binary of Carillon is stripped; what it links against (RocksDB, OpenSSL and others) is
Debian's and not counted, for no contestant. RabbitMQ's is a virtual machine and has no size that
could be compared.
"""
KINDS = {"carillon": servers.Carillon, **servers.PEERS}


def contestants(bench):
    return {kind: server for kind, server in KINDS.items() if kind == "carillon" or bench.has(kind)}


def start_to_ready(bench, kind, times):
    found = []
    for _ in range(times):
        server = bench.new(kind)
        try:
            begin = server.start()
            found.append(time.monotonic() - begin)
        finally:
            server.stop()
            shutil.rmtree(server.directory, ignore_errors=True)
    return found


def binary_bytes(bench, server):
    """Of the program as it would be installed."""
    if server is servers.RabbitMQ:
        return None
    path = os.path.realpath(server.command(server_at_rest(server))[0]
                            if server is servers.Carillon else shutil.which(server.program))
    stripped = os.path.join(bench.work_dir, "stripped")
    subprocess.run(["strip", "-o", stripped, path], check=True)
    return os.path.getsize(stripped)


def server_at_rest(kind):
    """Only its command is asked for, for which it need not run."""
    server = kind.__new__(kind)
    server.directory, server.port = "", 0
    return server


def watch(bench, kinds, seconds):
    found, watched = {}, {}
    try:
        for name, kind in kinds.items():
            watched[name] = bench.new(kind)
            watched[name].start()
        time.sleep(1)
        before = {name: server.activity() for name, server in watched.items()}
        time.sleep(seconds)
        for name, server in watched.items():
            after = server.activity()
            found[name] = {"rss": server.memory()["rss"], "anon": server.memory()["anon"],
                           **{key: after[key] - before[name][key] for key in after}}
    finally:
        for server in watched.values():
            server.stop()
            shutil.rmtree(server.directory, ignore_errors=True)
    return found


def run(bench):
    kinds = contestants(bench)
    seconds = bench.size(20, 1)
    found = watch(bench, kinds, seconds)
    for name, kind in kinds.items():
        times = 1 if name == "rabbitmq" else bench.size(20, 3)
        found[name]["ready"] = start_to_ready(bench, kind, times)
        found[name]["binary"] = binary_bytes(bench, kind)
        bench.say(f"{kind.name}: {found[name]}")
    bench.check("Carillon is watched", True, "carillon" in found)
    return {"seconds": seconds, "found": found}


def line(data, name, seen):
    cpu = seen["ticks"] / os.sysconf("SC_CLK_TCK") / data["seconds"]
    binary = figures.mebibytes(seen["binary"]) if seen["binary"] else ""
    return (KINDS[name].name, figures.mebibytes(seen["rss"]), figures.mebibytes(seen["anon"]),
            f"{100 * cpu:.2f} %", f"{seen['switches'] / data['seconds']:.1f}",
            figures.spread(seen["ready"], figures.seconds), binary)


def render(data, section):
    section.table(("", "resident", "of it anonymous", "processor", "wake-ups/s", "start to ready",
                   "binary"), [line(data, name, seen) for name, seen in data["found"].items()])
    ours = data["found"]["carillon"]
    section.aim("30 MiB resident", figures.mebibytes(ours["rss"]), ours["rss"] <= 30 << 20)
    cpu = 100 * ours["ticks"] / os.sysconf("SC_CLK_TCK") / data["seconds"]
    section.aim("0 % of a processor", f"{cpu:.2f} %", cpu < 0.05)
    ready = figures.median(ours["ready"])
    section.aim("ready 100 ms after the start", figures.seconds(ready), ready <= 0.1)
