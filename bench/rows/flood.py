"""Row 13: a flood of pipelined requests."""

import json
import time
import urllib.request

from bench import figures
from bench.context import FAR

NUMBER = "13"
TITLE = "A flood: 5,000 connections that pipeline 16 requests each without pause"
WHAT = """
Carillon alone. Each of 5,000 connections has 16 requests under way all the time (closed loop: one
answered, one sent), once adds of one task (payload of 150 bytes, due in 1 to 24 hours), once lists of
100 (`GET /v1/tasks?limit=100`, 20,000 tasks waiting). Beside it tasks fall due at random moments, on
average 1,000 a second, and are pushed to one receiver; and `/healthz` is asked 100 times a second
(open loop) on four connections of its own. For comparison the same flood with nothing beside it, and
64 connections with one request under way each. Adds count to the last answer, lists for ten seconds:
what is unanswered then would take half a minute more. Generators and receiver use the same
processors.
"""
FLOODS = {"adds": ("add", "--delay", FAR), "lists": ("get", "--abandon", "--path", "/v1/tasks?limit=100")}
WAITING = 20_000


def flood_words(bench):
    return ("-c", bench.size(5000, 200), "--pipeline", bench.size(16, 4))


def start_flood(bench, server, kind, seconds, words):
    command, *rest = FLOODS[kind]
    ids = ("--ids", "flood-{}") if command == "add" else ()
    return bench.start_load(server, command, *rest, *ids, *words, "--duration", f"{seconds}s")


def fill(bench, server, kind):
    """The tasks that lists have to give; answers how many."""
    if kind != "lists":
        return 0
    count = bench.size(WAITING, 500)
    bench.load(server, "batch", "--count", count, "-c", 4, "--ids", "waiting-{}", "--delay", FAR)
    path = FLOODS["lists"][-1]
    with urllib.request.urlopen(server.url + path, timeout=60) as answer:
        bench.check("lists: a page is full", 100, len(json.load(answer)["tasks"]))
    return count


def settle(bench, server, kind, waiting, flood):
    """Checks what the flood has left behind."""
    added = flood["tasks"] if kind == "adds" else 0
    bench.check(f"{kind}: pending", waiting + added, server.pending())
    return flood["requests_per_second"]


def alone(bench, kind, words):
    with bench.carillon() as server:
        waiting = fill(bench, server, kind)
        flood = bench.finish(start_flood(bench, server, kind, bench.size(6, 1), words))
        return settle(bench, server, kind, waiting, flood)


def add_due(bench, server, receiver, begin, end):
    """Tasks that fall due between these two moments from now, in seconds."""
    count = int(bench.size(1000, 200) * (end - begin))
    return bench.load(server, "batch", "--count", count, "--batch", 500, "-c", 4, "--ids", "due-{}",
                      "--target", receiver.url, "--delay",
                      f"{begin * 1000:.0f}ms..{end * 1000:.0f}ms")


def patiently(bench, server, pending, patience_s=60):
    """What is overdue is pushed once the flood is over."""
    end = time.monotonic() + patience_s
    while server.pending() > pending and time.monotonic() < end:
        time.sleep(0.1)


def beside(bench, kind):
    """The flood with 1,000 tasks a second that fall due, from a second after its begin to its end."""
    seconds, lead = bench.size(10, 1), bench.size(2, 0.5)
    with bench.receiver() as receiver, bench.carillon() as server:
        waiting = fill(bench, server, kind)
        started = time.monotonic()
        due = add_due(bench, server, receiver, lead + bench.size(1, 0.2), lead + seconds)
        time.sleep(max(0, started + lead - time.monotonic()))
        probe = bench.start_load(server, "get", "--path", "/healthz", "--rate", 100, "-c", 4,
                                 "--duration", f"{seconds}s")
        flood = bench.finish(start_flood(bench, server, kind, seconds, flood_words(bench)))
        health = bench.finish(probe)
        patiently(bench, server, waiting + (flood["tasks"] if kind == "adds" else 0))
        got = bench.close_receiver(receiver)
        rate = settle(bench, server, kind, waiting, flood)
    bench.check(f"{kind}: pushed", due["tasks"], got["accepted"])
    bench.check(f"{kind}: sum over the ids", due["number_sum"], got["number_sum"])
    return {"rate": rate, "latency": flood["latency_us"]["p99"],
            "lateness": {key: got["lateness_us"][key] for key in ("p50", "p99", "p99.9", "max")},
            "healthz": {key: health["latency_us"][key] for key in ("p50", "p99", "max")}}


def one(bench, kind):
    few = alone(bench, kind, ("-c", bench.size(64, 8)))
    flood = alone(bench, kind, flood_words(bench))
    crowd = beside(bench, kind)
    late = crowd["lateness"]
    bench.say(f"{kind}: pushes p50 {late['p50']} us, p99 {late['p99']} us, p99.9 {late['p99.9']} us; "
              f"/healthz p99 {crowd['healthz']['p99']} us; {crowd['rate']:.0f}/s beside the pushes, "
              f"{flood:.0f}/s without them, {few:.0f}/s from 64 connections")
    return {"few": few, "alone": flood, "beside": crowd}


def run(bench):
    runs = {kind: [] for kind in FLOODS}
    for _ in range(bench.rounds):
        for kind, seen in runs.items():
            seen.append(one(bench, kind))
    return runs


LINES = (("pushes late, p50", lambda run: run["beside"]["lateness"]["p50"], figures.micros),
         ("p99", lambda run: run["beside"]["lateness"]["p99"], figures.micros),
         ("p99.9", lambda run: run["beside"]["lateness"]["p99.9"], figures.micros),
         ("worst", lambda run: run["beside"]["lateness"]["max"], figures.micros),
         ("`/healthz`, p50", lambda run: run["beside"]["healthz"]["p50"], figures.micros),
         ("p99", lambda run: run["beside"]["healthz"]["p99"], figures.micros),
         ("worst", lambda run: run["beside"]["healthz"]["max"], figures.micros),
         ("the flood's own answers, p99", lambda run: run["beside"]["latency"], figures.micros),
         ("its requests a second", lambda run: run["beside"]["rate"], figures.grouped),
         ("with nothing beside it", lambda run: run["alone"], figures.grouped),
         ("64 connections, one request each", lambda run: run["few"], figures.grouped))


def render(data, section):
    section.table(("", *data), [
        (label, *(figures.spread([value(run) for run in runs], form) for runs in data.values()))
        for label, value, form in LINES])
    for kind, runs in data.items():
        late = figures.median([run["beside"]["lateness"]["p99"] for run in runs])
        health = figures.median([run["beside"]["healthz"]["p99"] for run in runs])
        kept = figures.ratios([run["beside"]["rate"] for run in runs], [run["alone"] for run in runs])
        section.aim(f"{kind}: pushes' p99 under 50 ms", figures.micros(late), late < 50_000)
        section.aim(f"{kind}: `/healthz`' p99 under 100 ms", figures.micros(health), health < 100_000)
        section.aim(f"{kind}: throughput beside the pushes lower by at most 10 %",
                    figures.times(kept), figures.median(kept) >= 0.9)
