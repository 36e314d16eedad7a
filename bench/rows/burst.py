"""Row 7: the burst, 200,000 tasks due in one millisecond."""

import datetime
import time

from bench import figures, plot, servers
from bench.context import moment, wait_until_confirmed

NUMBER = "7"
TITLE = "The burst: 200,000 tasks due in one millisecond"
WHAT = """
Tasks with payloads of 150 bytes are added by batches some seconds ahead.

- **Carillon, a push each**: to one receiver on this machine; the target is a URL with all settings
  at their defaults (64 pushes at once). Counted is until the last is received.
- **Carillon, batched**: the same to a named target with `"batch": {}`, so up to 500 tasks in a push.
  Counted is until the last is received, and until the last is confirmed and that is durable.
- **Redis, ten pollers**: each takes at most 2,000 members a second, which is how the poller that
  Carillon was made to replace was sized. Counted is until they have the last, without any push.
- **Redis, one poller that drains**: it takes 2,000 at a time until nothing more is due. Also
  without any push: what the poller then does with 200,000 tasks comes on top.
"""
LIMITS = """
Of single pushes: 64 connections, the default for one origin, and a commit between a slot that is free and the next push:
`Fire` has to be on disk before its push starts. So the burst goes at about the rate of single adds on
64 connections, for the same reasons (row 1), and no faster than the machine is at the time: the drain beside
it takes from 1.1 to 1.6 s from one run to another, the burst from 2.9 to 4.4 s. The pollers that are faster take tasks without pushing
them anywhere.
"""
NAMES = {"carillon": "Carillon, a push each", "batched": "Carillon, batched", "pollers": "Redis, ten pollers",
         "drain": "Redis, one that drains"}
POLL = {"pollers": ("--pollers", 10), "drain": ("--drain",)}


def run_carillon(bench, count, batched):
    with bench.carillon() as server:
        words = []
        if batched:
            port = servers.free_port()
            server.call("PUT", "/v1/targets/burst",
                        {"url": f"http://127.0.0.1:{port}/", "batch": {}})
            words = ["--target", "burst", "--listen", f"127.0.0.1:{port}"]
        result = bench.finish(bench.start(
            "carillon-load", "burst", "--server", server.url, "--json", "--count", count, "--in",
            bench.size("6s", "1s"), "--batch", 1000, *words))
        due = datetime.datetime.fromisoformat(result["due_at"]).timestamp()
        confirmed = wait_until_confirmed(server, due)
        bench.check("Carillon: nothing is left", 0, server.pending())
    got = result["receiver"]
    wrong = sum(got[key] for key in ("early", "duplicates", "no_pushes"))
    bench.check("Carillon: early, twice or no push", 0, wrong)
    bench.check("Carillon: received", count, got["accepted"])
    bench.check("Carillon: sum over the ids", result["adds"]["number_sum"], got["number_sum"])
    return {"last": result["last_after_due_us"], "confirmed": confirmed,
            "lateness": got["lateness_us"]}


def run_redis(bench, name, count):
    with bench.peer("redis") as server:
        due = int(time.time() + bench.size(6, 2))
        added = bench.peer_load(server, "redis-add", "--form", "variadic", "--batch", 1000, "-c", 4,
                                "--count", count, "--due-at", moment(due))
        got = bench.finish(bench.start("peer_load", "redis-poll", "--server", server.address,
                                       "--count", count, "--batch", 2000, *POLL[name]))
        bench.check("Redis: nothing is left", 0, server.pending())
    bench.check("Redis: taken", count, got["accepted"])
    bench.check("Redis: sum over the ids", added["number_sum"], got["number_sum"])
    return {"last": got["last_at_us"] - due * 1_000_000, "lateness": got["lateness_us"]}


def run(bench):
    count = bench.size(200_000, 5_000)
    names = ["carillon", "batched"] + (["pollers", "drain"] if bench.has("redis") else [])
    data = {name: [] for name in names}
    for _ in range(bench.rounds):
        for name in names:
            if name in ("carillon", "batched"):
                found = run_carillon(bench, count, batched=name == "batched")
            else:
                found = run_redis(bench, name, count)
            data[name].append(found)
            bench.say(f"{NAMES[name]}: the last after {found['last'] / 1e6:.2f} s")
    return data


def render(data, section):
    def spread(runs, key):
        return figures.spread([run[key] for run in runs], figures.micros) if key in runs[0] else ""

    rows = [(NAMES[name], spread(runs, "last"), spread(runs, "confirmed"),
             figures.spread([run["lateness"]["p50"] for run in runs], figures.micros))
            for name, runs in data.items()]
    section.table(("", "the last after", "all confirmed after", "half of them after"), rows)
    section.plot("burst", plot.lines("200,000 tasks due at once", "after they were due",
                                     "share that has come",
                                     [(NAMES[name], plot.curve(runs[0]["lateness"]))
                                      for name, runs in data.items()], log_x=True,
                                     x_format=plot.micros), "How a burst comes in")
    last = figures.median([run["last"] for run in data["carillon"]])
    section.aim("all received within 4 s", figures.micros(last), last <= 4e6)
    if "batched" in data:  # figures from before there were batches have none
        confirmed = figures.median([run["confirmed"] for run in data["batched"]])
        section.aim("batched: all received and confirmed within 1 s", figures.micros(confirmed),
                    confirmed <= 1e6)
