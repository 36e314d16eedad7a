"""Row 4: 200,000 tasks cancelled or moved at once."""

import time

from bench import figures, store
from bench.context import FAR

NUMBER = "4"
TITLE = "A group of 200,000 tasks cancelled, and moved"
WHAT = """
In the store of row 5. Beside it another caller adds 2,000 tasks a second (open loop, 16
connections), for 2 seconds; the group's call comes 0.3 s after their beginning. What counts is the
time to its answer, and what it does to that caller.

- **Carillon**: `POST /v1/groups/{group}:shift` by ten minutes, then `:cancel`.
- **Redis** knows no groups. Its user keeps the ids of one (not counted here) and goes through them:
  `ZADD XX` with the new time, `ZREM` and `HDEL`, pipelined by 1,000 on one connection. Somebody who
  looks meanwhile sees half of it done.
"""
ACTIONS = ("shift", "cancel")
NAMES = {"carillon": "Carillon", "redis": "Redis"}


def add_group(bench, kept, count):
    words = ("--count", count, "--batch", 1000, "-c", 8, "--payload-bytes", store.PAYLOAD_BYTES,
             "--delay", FAR, "--ids", f"group{bench.places}-{{}}")
    if kept.kind == "carillon":
        bench.load(kept.server, "batch", *words, "--group", f"group{bench.places}")
    else:
        bench.peer_load(kept.server, "redis-add", "--form", "variadic", *words)
    kept.pending += count


def start_others(bench, kept, action):
    words = ("--rate", 2000, "--duration", bench.size("2s", "500ms"), "-c", 16, "--delay", FAR,
             "--payload-bytes", store.PAYLOAD_BYTES, "--ids", f"beside{bench.places}-{action}-{{}}")
    if kept.kind == "carillon":
        return bench.start_load(kept.server, "add", *words)
    return bench.start_peer_load(kept.server, "redis-add", "--form", "transaction", *words)


def act(bench, kept, action, count):
    """Answers how many were shifted or cancelled."""
    group = f"group{bench.places}"
    if kept.kind == "carillon":
        body = {"by": "10m"} if action == "shift" else {}
        answer = kept.server.call("POST", f"/v1/groups/{group}:{action}", body)
        return answer["shifted" if action == "shift" else "cancelled"]
    words = ("--count", count, "--batch", 1000, "-c", 1, "--ids", group + "-{}")
    form = () if action == "shift" else ("--form", "pipeline")
    words += ("--delay", "25h..26h") if action == "shift" else ()
    return bench.peer_load(kept.server, f"redis-{action}", *form, *words)["tasks"]


def one(bench, kept, action, count):
    others = start_others(bench, kept, action)
    time.sleep(0.3)
    begin = time.monotonic()
    done = act(bench, kept, action, count)
    took = time.monotonic() - begin
    beside = bench.finish(others)
    bench.check(f"{kept.server.name}: tasks of the group, {action}", count, done)
    kept.pending += beside["tasks"] - (count if action == "cancel" else 0)
    kept.check()
    latency = beside["latency_us"]
    bench.say(f"{kept.server.name}, {action}: {took * 1e3:.1f} ms, others' p99 {latency['p99']} us")
    return {"seconds": took, "p50": latency["p50"], "p99": latency["p99"], "max": latency["max"]}


def run(bench):
    count = bench.size(200_000, 2_000)
    data = {kind: {action: [] for action in ACTIONS} for kind in store.kinds(bench)}
    for _ in range(bench.rounds):
        for kind in data:
            kept = store.full(bench, kind)
            bench.places += 1  # names the group
            add_group(bench, kept, count)
            for action in ACTIONS:
                data[kind][action].append(one(bench, kept, action, count))
    return data


def render(data, section):
    rows = []
    for action in ACTIONS:
        for kind, measured in data.items():
            runs = measured[action]
            rows.append((f"{action}, {NAMES[kind]}",
                         figures.spread([run["seconds"] for run in runs], figures.seconds),
                         *(figures.spread([run[key] for run in runs], figures.micros)
                           for key in ("p50", "p99", "max"))))
        ours = data["carillon"][action]
        took = figures.median([run["seconds"] for run in ours])
        p99 = figures.median([run["p99"] for run in ours])
        section.aim(f"{action}: answered within 50 ms", figures.seconds(took), took < 0.05)
        section.aim(f"{action}: others' p99 under 10 ms", figures.micros(p99), p99 < 10_000)
    section.table(("", "to the answer", "others' p50", "p99", "worst"), rows)
