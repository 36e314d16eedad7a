"""Row 1: durable adds, one task a request."""

import re
import shutil
import subprocess

from bench import figures, plot
from bench.context import FAR, NOWHERE, tail

NUMBER = "1"
TITLE = "Durable adds, one task a request"
WHAT = """
64 and 256 keep-alive connections, closed loop, one thread of the generator; each task has an id of
its own, a due time in 1 to 24 hours and a payload of 150 bytes. Each request is answered when it is
on disk.

- **Carillon**: `POST /v1/tasks`, all settings at their defaults.
- **Redis**, `appendonly yes`, `appendfsync always`, no snapshots, no rewriting of the log during
  the run (which is in its favour). *ZADD*: the member and its time alone, no payload. *HSET +
  ZADD*: `MULTI`, `HSET`, `ZADD`, `EXEC` in one write, which is what a timer with a payload needs.
- **beanstalkd** `-b DIR -f 0` (fsync at each write): `put` with a delay in whole seconds and the
  payload as its body; its ids are its own, and a job cannot be looked up by the caller's id.
"""
LIMITS = """
the loop's thread, and beside it a generator that needs as much again, on two cores. `perf record -a` (cpu-clock)
at 256 connections: of both processors the loop has 54 % (29 in the kernel: sends, receives, epoll; the sends
alone are a third of the loop, since on loopback they run the receiver's half of TCP too), the generator 27 %, the
committer and RocksDB 8 %, and 8 % are idle: the loop is full. At 64 connections it is not: 20 % are idle, waiting
for the disk by turns. Redis makes the same calls for a shorter protocol, without JSON, index of ids or a second
thread to wake. What Carillon itself does on the loop is under 28,000 instructions an add: JSON, contents and
hashes 8 % of the time, shard, index and wheel 6 %, HTTP and the answer 7 %, Asio's scheduling and the engine 15 %.
"""
CONNECTIONS = (64, 256)
NAMES = {"carillon": "Carillon", "zadd": "Redis ZADD", "transaction": "Redis HSET + ZADD",
         "beanstalkd": "beanstalkd put"}
REDIS_FORM = {"zadd": "bare", "transaction": "transaction"}
COMMON = ("--delay", FAR, "--payload-bytes", 150)


def run_carillon(bench, words):
    with bench.carillon() as server:
        result = bench.load(server, "add", *words)
        bench.check("Carillon: tasks pending", result["tasks"], server.pending())
    return result


def run_redis(bench, words, contestant):
    with bench.peer("redis") as server:
        form = REDIS_FORM[contestant]
        result = bench.peer_load(server, "redis-add", "--form", form, *words)
        bench.check("Redis: ZCARD", result["tasks"], server.pending())
        if form != "bare":
            bench.check("Redis: HLEN", result["tasks"], server.payloads())
    return result


def run_beanstalkd(bench, words):
    with bench.peer("beanstalkd") as server:
        result = bench.peer_load(server, "beanstalk-put", *words)
        bench.check("beanstalkd: delayed jobs", result["tasks"], server.pending())
    return result


def contestants(bench):
    names = ["carillon"]
    if bench.has("redis"):
        names += ["zadd", "transaction"]
    if bench.has("beanstalkd"):
        names += ["beanstalkd"]
    return names


def one(bench, contestant, connections):
    words = ("-c", connections, *bench.closed_loop("4s", 1000), *COMMON)
    if contestant == "carillon":
        result = run_carillon(bench, words)
    elif contestant == "beanstalkd":
        result = run_beanstalkd(bench, words)
    else:
        result = run_redis(bench, words, contestant)
    bench.say(f"{connections} connections, {NAMES[contestant]}: {result['tasks_per_second']:.0f}/s")
    return tail(result)


def run(bench):
    names = contestants(bench)
    data = {"rounds": {}, "known": known_tools(bench)}
    for connections in CONNECTIONS:
        measured = {name: [] for name in names}
        for _ in range(bench.rounds):
            for name in names:
                measured[name].append(one(bench, name, connections))
        data["rounds"][str(connections)] = measured
    return data


# The same with tools that users know, as a check on our own generator.

LUA = """
local payload = string.rep("x", 148)
local head = {["Content-Type"] = "application/json"}
local n = 0
function request()
  n = n + 1
  return wrk.format("POST", "/v1/tasks", head, '{"id":"wrk-' .. n .. '","delay":'
    .. math.random(3600000, 86400000) .. ',"target":"TARGET","payload":"' .. payload .. '"}')
end
"""


def known_tools(bench):
    seconds = bench.size(4, 1)
    found = {"wrk": [], "redis-benchmark": []}
    for _ in range(1 if bench.quick else bench.rounds):
        if shutil.which("wrk"):
            found["wrk"].append(run_wrk(bench, seconds))
        if bench.has("redis") and shutil.which("redis-benchmark"):
            found["redis-benchmark"].append(run_redis_benchmark(bench))
    return found


def run_wrk(bench, seconds):
    with bench.carillon() as server:
        script = server.directory + "/adds.lua"
        with open(script, "w", encoding="ascii") as file:
            file.write(LUA.replace("TARGET", NOWHERE))
        out = subprocess.run(["wrk", "-t1", "-c64", f"-d{seconds}s", "-s", script, server.url],
                             capture_output=True, text=True, check=True).stdout
        requests = int(re.search(r"(\d+) requests in", out)[1])
        # wrk leaves its last requests unanswered: up to one a connection more are pending.
        bench.check("wrk: what was answered is pending", True,
                    requests <= server.pending() <= requests + 64)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def run_redis_benchmark(bench):
    count = bench.size(150_000, 5_000)
    with bench.peer("redis") as server:
        out = subprocess.run(
            ["redis-benchmark", "-p", str(server.port), "-c", "64", "-n", str(count), "-r",
             "1000000000", "--csv", "zadd", "tasks", "__rand_int__", "task-__rand_int__"],
            capture_output=True, text=True, check=True).stdout
        bench.check("redis-benchmark: nearly all members are distinct", True,
                    count * 0.99 < server.pending() <= count)
    return float(out.strip().splitlines()[-1].split('","')[1].strip('"'))


# The document


def render(data, section):
    for connections, measured in data["rounds"].items():
        section.text(f"**{connections} connections**")
        section.table(("", "tasks/s", "Carillon is", "p50", "p99"),
                      [line(measured, name) for name in measured])
    rounds = data["rounds"]
    legend = [NAMES[name] for name in rounds["64"]]
    groups = [(f"{connections} connections",
               [figures.bar([r["per_second"] for r in runs]) for runs in measured.values()])
              for connections, measured in rounds.items()]
    section.plot("adds", plot.bars("Durable adds, one task a request", "tasks/s", legend, groups),
                 "Durable adds a second of each contestant")
    for connections, aim in (("64", 1.0), ("256", 1.3)):
        judge(rounds[connections], connections, aim, section)
    render_known(data["known"], section)


def speeds(measured, name):
    return [run["per_second"] for run in measured[name]]


def line(measured, name):
    runs = measured[name]
    ratio = figures.times(figures.ratios(speeds(measured, "carillon"), speeds(measured, name)))
    return (NAMES[name], figures.rate(speeds(measured, name)),
            "" if name == "carillon" else ratio,
            figures.micros(figures.median([run["p50"] for run in runs])),
            figures.micros(figures.median([run["p99"] for run in runs])))


def judge(measured, connections, aim, section):
    what = f"{connections} connections: over {aim:g} times bare ZADD"
    if "zadd" not in measured:
        return section.aim(what, "not measured", None)
    ratio = figures.ratios(speeds(measured, "carillon"), speeds(measured, "zadd"))
    return section.aim(what, figures.times(ratio), figures.median(ratio) > aim)


def render_known(known, section):
    rows = [(tool, contestant, figures.rate(known[tool])) for tool, contestant in
            (("wrk", "Carillon"), ("redis-benchmark", "Redis ZADD")) if known[tool]]
    if not rows:
        return
    section.text("The same at 64 connections with the tools that users know, as a check on the generator: "
                 "`wrk -t1 -c64` with a script that makes the ids, "
                 "`redis-benchmark -c 64 zadd` with random members.")
    section.table(("tool", "of", "tasks/s"), rows)


__all__ = ["NUMBER", "TITLE", "WHAT", "render", "run"]
