"""Row 3: cancels by id, ten million pending."""

from bench import figures, plot, store
from bench.context import tail

NUMBER = "3"
TITLE = "Cancels by id, 10 M pending"
WHAT = """
The store of row 5, about 10 M tasks in each. Ids are taken in an order scattered over all of them,
the same for all; none is cancelled twice. Each cancel is answered when it is on disk.

- **Carillon**: `DELETE /v1/tasks/{id}` on 64 connections; `POST /v1/tasks:batchCancel` with 1,000
  ids on 8.
- **Redis**: `ZREM` and `HDEL`, both in one write, on 64 connections; the same 1,000 times in one
  write on 8 (pipelined); one `ZREM` and one `HDEL` with 1,000 members each in a transaction
  (variadic).
"""
NAMES = {"carillon": "Carillon", "pipeline": "Redis pipelined", "variadic": "Redis variadic"}


def one(bench, name, batch, count):
    kept = store.full(bench, "carillon" if name == "carillon" else "redis")
    among = bench.size(10_000_000, 20_000)
    words = ("--count", count, "--batch", batch, "-c", 64 if batch == 1 else 8, "--ids", "t-{}",
             "--among", among, "--skip", kept.cancelled)
    if name == "carillon":
        result = bench.load(kept.server, "cancel", *words)
    else:
        result = bench.peer_load(kept.server, "redis-cancel", "--form", name, *words)
    bench.check(f"{NAMES[name]}: cancelled", count, result["tasks"])
    kept.cancelled += count
    kept.pending -= count
    kept.check()
    bench.say(f"{NAMES[name]}, {batch} a request: {result['tasks_per_second']:.0f}/s")
    return tail(result)


def run(bench):
    redis = bench.has("redis")
    plan = {"1": (bench.size(100_000, 1_000), ["carillon"] + ["pipeline"] * redis),
            "1000": (bench.size(300_000, 2_000), ["carillon"] + ["pipeline", "variadic"] * redis)}
    data = {}
    for batch, (count, names) in plan.items():
        data[batch] = {name: [] for name in names}
        for _ in range(bench.rounds):
            for name in names:
                data[batch][name].append(one(bench, name, int(batch), count))
    return data


def speeds(runs):
    return [run["per_second"] for run in runs]


def render(data, section):
    rows, groups = [], []
    legend = [NAMES[name] for name in data["1000"]]
    for batch, measured in data.items():
        label = "single" if batch == "1" else "1,000 a request"
        ours = speeds(measured["carillon"])
        for name, runs in measured.items():
            ratio = figures.times(figures.ratios(ours, speeds(runs)))
            rows.append((f"{label}, {NAMES[name]}", figures.rate(speeds(runs)),
                         "" if name == "carillon" else ratio,
                         figures.micros(figures.median([run["p99"] for run in runs]))))
        groups.append((label, [figures.bar(speeds(measured.get(name, []))) for name in data["1000"]]))
        judge(label, measured, section)
    section.table(("", "cancels/s", "Carillon is", "p99 of a request"), rows)
    section.plot("cancels", plot.bars(TITLE, "cancels/s", legend, groups), "Cancels a second")


def judge(label, measured, section):
    """Against the faster of Redis's forms."""
    what = f"{label}: faster than Redis"
    peers = [name for name in measured if name != "carillon"]
    if not peers:
        return section.aim(what, "not measured", None)
    best = max(peers, key=lambda name: figures.median(speeds(measured[name])))
    ratio = figures.ratios(speeds(measured["carillon"]), speeds(measured[best]))
    section.aim(what, f"{figures.times(ratio)} {NAMES[best]}", figures.median(ratio) > 1)
