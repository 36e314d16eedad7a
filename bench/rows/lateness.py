"""Row 6: how late tasks come, steadily due."""

import time

from bench import figures, plot, rabbit, store
from bench.context import FAR

NUMBER = "6"
TITLE = "Lateness at a steady rate, 10 M pending and 5,000 adds/s beside it"
WHAT = """
The store of row 5. Tasks with payloads of 150 bytes fall due at random moments over 60 s, on
average 1,000 and 5,000 a second; beside it 5,000 adds a second (open loop). One run of each rate,
as it is many samples already. Everything is on one machine: the receiver and the generator take
their share of its processors.

- **Carillon**: late is from the due time to the HTTP push at the receiver, which has read it.
- **Redis** as a timer: a poller takes once a second what is due, at most 2,000 at a time until
  nothing more is, with a script that reads and removes (`ZRANGEBYSCORE`, `HMGET`, `ZREM`, `HDEL`).
  Late is to when the poller has it, so without any push.
- **RabbitMQ**, TTL of each message and a dead-letter exchange, which is how people delay there:
  durable queue, persistent messages, confirmed. Delays mixed of 0.1 to 10 s, 2,000 messages,
  without any other load or backlog. A message that is due waits for those ahead of it whose time is
  longer: this is by design, and why its curve is where it is.
"""
LIMITS = """
the disk's slowest syncs. A push starts only when its `Fire` is on disk, so that `attempts` is true
also after a crash; a sync that takes long delays what is due meanwhile, and on this machine, whose
disk is shared, of 500 `fdatasync` calls of 4 KiB one after another with nothing else running the
slowest took between 2 and 80 ms from one sample to the next (half of all took 0.06 to 0.15 ms). The
server's own commits show the same tail in `carillon_commit_seconds`; its loop was not busy at those
times. On a disk of one's own p99.9 follows that disk's p99.9.
"""
NAMES = {"carillon": "Carillon", "redis": "Redis, polled each second", "rabbitmq": "RabbitMQ TTL"}


def start_adds(bench, kept, duration):
    words = ("--rate", bench.size(5000, 500), "-c", 32, "--duration", f"{duration}ms", "--delay", FAR,
             "--ids", f"beside6-{bench.places}-{{}}")
    if kept.kind == "carillon":
        return bench.start_load(kept.server, "add", *words)
    return bench.start_peer_load(kept.server, "redis-add", "--form", "transaction", *words)


def due_words(bench, count, duration):
    bench.places += 1  # names the ids
    begin = bench.size(3000, 300)
    return ("--count", count, "--batch", 500, "-c", 4, "--delay", f"{begin}ms..{begin + duration}ms",
            "--ids", f"due{bench.places}-{{}}")


def run_carillon(bench, kept, count, duration):
    with bench.receiver() as receiver:
        words = due_words(bench, count, duration)
        added = bench.load(kept.server, "batch", *words, "--target", receiver.url)
        beside = bench.finish(start_adds(bench, kept, duration + bench.size(3000, 500)))
        time.sleep(1)
        got = bench.close_receiver(receiver)
    kept.pending += beside["tasks"]
    return added, beside, got


def run_redis(bench, kept, count, duration):
    words = due_words(bench, count, duration)
    added = bench.peer_load(kept.server, "redis-add", "--form", "variadic", *words)
    poller = bench.start("peer_load", "redis-poll", "--server", kept.server.address, "--drain",
                         "--batch", 2000, "--count", count, "--patience", "3m")
    beside = bench.finish(start_adds(bench, kept, duration + bench.size(3000, 500)))
    got = bench.finish(poller)
    kept.pending += beside["tasks"]
    return added, beside, got


def one(bench, kind, rate):
    kept = store.full(bench, kind)
    duration = bench.size(60_000, 1_500)
    count = rate * duration // 1000
    runner = run_carillon if kind == "carillon" else run_redis
    added, beside, got = runner(bench, kept, count, duration)
    name = NAMES[kind]
    bench.check(f"{name}: taken", count, got["accepted"])
    bench.check(f"{name}: sum over the ids", added["number_sum"], got["number_sum"])
    kept.check()
    late = got["lateness_us"]
    bench.say(f"{name}, {rate}/s due: p50 {late['p50']} us, p99 {late['p99']} us")
    return {"count": count, "lateness": late, "adds_p99": beside["latency_us"]["p99"],
            "adds_per_second": beside["tasks_per_second"]}


def run(bench):
    rates = bench.size([1000, 5000], [200, 400])
    data = {"rates": {str(rate): {kind: one(bench, kind, rate) for kind in store.kinds(bench)}
                      for rate in rates}}
    if bench.has("rabbitmq"):
        data["rabbitmq"] = rabbit.delayed(bench, bench.size(2000, 200), bench.size(10.0, 1.0))
    return data


def line(label, seen):
    late = seen["lateness"]
    return (label, figures.grouped(seen["count"]),
            *(figures.micros(late[key]) for key in ("p50", "p99", "p99.9", "max")),
            figures.micros(seen.get("adds_p99")) if "adds_p99" in seen else "")


def judge(rate, late, section):
    name = f"{figures.grouped(int(rate))} due/s"
    for key, limit in (("p50", 1_000), ("p99", 5_000), ("p99.9", 20_000)):
        section.aim(f"{name}: {key} under {figures.micros(limit)}", figures.micros(late[key]),
                    late[key] < limit)


def render(data, section):
    rows, curves = [], []
    for rate, measured in data["rates"].items():
        for kind, seen in measured.items():
            label = f"{NAMES[kind]}, {figures.grouped(int(rate))}/s"
            rows.append(line(label, seen))
            curves.append((label, plot.curve(seen["lateness"])))
        judge(rate, measured["carillon"]["lateness"], section)
    if "rabbitmq" in data:
        rows.append(line(NAMES["rabbitmq"], data["rabbitmq"]))
        curves.append((NAMES["rabbitmq"], plot.curve(data["rabbitmq"]["lateness"])))
    section.table(("", "tasks", "late p50", "p99", "p99.9", "worst", "p99 of the adds"), rows)
    section.text("Early: none (a push before its time fails the check of the outcome).")
    section.plot("lateness", plot.lines("How late tasks come", "lateness", "share of all tasks",
                                        curves, log_x=True, x_format=plot.micros),
                 "Distribution of lateness of each contestant")
