"""Row 9: restart with ten million pending."""

import time

from bench import figures, store
from bench.context import moment

NUMBER = "9"
TITLE = "Restart with 10 M pending"
WHAT = """
The store of row 5 is stopped, by SIGTERM and by SIGKILL, and started again; the files are in the
page cache for all. Counted is from the start of the process to the first good answer.

- **Carillon**: `/readyz` answers 200.
- **Redis** loads its append-only file and answers `PING`; until then it refuses. The file was never
  rewritten here, which would make it shorter at the price of a fork and as much memory again; once
  for each way, since it takes long.

*First overdue push*: 1 M tasks fall due while Carillon is down; counted is from the start of the
process to the first push at the receiver.
"""
WAYS = ("clean", "kill")
NAMES = {"carillon": "Carillon", "redis": "Redis"}


def again(bench, kept, way):
    """Stops and starts the store's server; answers the seconds that both took."""
    server = kept.server
    begin = time.monotonic()
    if way == "clean":
        server.stop()
    else:
        server.kill()
    stopped = time.monotonic() - begin
    begin = server.start(wait=False)
    server.wait_ready(1800)
    ready = time.monotonic() - begin
    kept.check()
    bench.say(f"{server.name}, {way}: ready after {ready:.2f} s")
    return {"stop": stopped, "ready": ready}


def overdue(bench):
    """Seconds from the start to the first overdue push."""
    count = bench.size(1_000_000, 2_000)
    with bench.receiver() as receiver, bench.carillon() as server:
        due = time.time() + bench.size(12, 1.5)
        added = bench.load(server, "batch", "--count", count, "-c", 8, "--target", receiver.url,
                           "--due-at", moment(due))
        bench.check("overdue: added before they were due", True,
                    added["tasks"] == count and time.time() < due)
        server.stop()
        time.sleep(max(0.0, due - time.time()) + 0.1)
        begin = time.time()
        server.start()
        time.sleep(bench.size(3, 0.5))
        server.kill()
        got = bench.close_receiver(receiver)
    bench.check("overdue: pushes came", True, got["received"] > 0)
    first = got["first_at_us"] / 1e6 - begin
    bench.say(f"first overdue push after {first:.3f} s, {got['received']} within some seconds")
    return first


def run(bench):
    data = {}
    for kind in store.kinds(bench):
        kept = store.full(bench, kind)
        data[kind] = {way: [] for way in WAYS}
        for _ in range(bench.rounds if kind == "carillon" else 1):
            for way in WAYS:
                data[kind][way].append(again(bench, kept, way))
    data["pending"] = store.get(bench, "carillon").pending
    store.close(bench)
    data["overdue"] = [overdue(bench) for _ in range(bench.rounds)]
    return data


def render(data, section):
    rows = []
    for kind in ("carillon", "redis"):
        for way in WAYS if kind in data else ():
            runs = data[kind][way]
            rows.append((f"{NAMES[kind]}, after {'a clean stop' if way == 'clean' else 'kill -9'}",
                         *(figures.spread([run[key] for run in runs], figures.seconds)
                           for key in ("stop", "ready"))))
    section.text(f"{figures.grouped(data['pending'])} tasks pending.")
    section.table(("", "to stop", "from start to ready"), rows)
    for way in WAYS:
        ready = figures.median([run["ready"] for run in data["carillon"][way]])
        section.aim(f"10 M loaded in 4 s ({'clean stop' if way == 'clean' else 'kill -9'})",
                    figures.seconds(ready), ready <= 4)
    first = figures.median(data["overdue"])
    section.aim("first overdue push of 1 M within 1 s of the start",
                figures.spread(data["overdue"], figures.seconds), first <= 1)


__all__ = ["NUMBER", "TITLE", "WHAT", "again", "render", "run"]
