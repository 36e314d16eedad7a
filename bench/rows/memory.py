"""Row 5: memory per pending task, and whether adds stay as fast as the store grows."""

from bench import figures, plot, store

NUMBER = "5"
TITLE = "Memory per pending task, and the cost of an add as tasks become many"
WHAT = """
One store is filled by batches, payloads of 16 bytes, due in 1 hour to 29 days, and looked at when
it holds 1 M and 10 M. Bytes per task are what the process has grown since it was empty, over the
tasks pending, **less the payload where that is in memory** (Redis; Carillon keeps it on disk). Cost
of an add: closed loop, batches of 1,000 on 8 connections and single ones on 64, three times at each
size.

- **Carillon**: the growth of its anonymous memory (`RssAnon`), which has RocksDB's write buffers in
  it too; and beside it what `/v1/stats` says that the tasks take.
- **Redis**: the growth of `used_memory`, its own count, without what its allocator wastes; `ZADD`
  and `HSET`.
"""
LIMITS = """
an entry is 32 bytes and its place in the index 9, which is what the server's own count says (41 at 10 M); the rest is
RocksDB's write buffers and table readers and pages cleared ahead, which hardly grow with the tasks. What an entry
holds is in ARCHITECTURE.md (Memory): all of it decides about the task.
"""
NAMES = {"carillon": "Carillon", "redis": "Redis"}


def look(bench, kept, idle):
    """Memory now, then what adds cost now."""
    server = kept.server
    found = {"pending": kept.pending, **server.memory()}
    if kept.kind == "carillon":
        stats = server.call("GET", "/v1/stats")
        found["own"] = stats["memory"]["tasks_bytes"]
        found["bytes_per_task"] = (found["anon"] - idle["anon"]) / kept.pending
    else:
        found["own"] = server.used_memory()
        found["bytes_per_task"] = (found["own"] - idle["own"]) / kept.pending - store.PAYLOAD_BYTES
    found["batches"], found["singles"] = [], []
    for _ in range(bench.rounds):
        batches = kept.add(bench.size(200_000, 5_000), 1000, 8)
        singles = kept.add(bench.size(30_000, 500), 1, 64)
        found["batches"].append(batches["tasks_per_second"])
        found["singles"].append(singles["tasks_per_second"])
    kept.check()
    bench.say(f"{server.name}, {found['pending']} tasks: {found['bytes_per_task']:.1f} B a task, "
              f"{figures.median(found['batches']):.0f} tasks/s")
    return found


def grow(bench, kept, sizes):
    idle = kept.server.memory()
    if kept.kind == "redis":
        idle["own"] = kept.server.used_memory()
    found = {"idle": idle, "sizes": []}
    for size in sizes:
        kept.fill(size)
        found["sizes"].append(look(bench, kept, idle))
    return found


def run(bench):
    store.close(bench)
    sizes = bench.size([1_000_000, 10_000_000], [2_000, 20_000])
    return {kind: grow(bench, store.get(bench, kind), sizes) for kind in store.kinds(bench)}


def table(data, section):
    rows = []
    for kind, found in data.items():
        first = found["sizes"][0]
        for seen in found["sizes"]:
            flat = [figures.median(seen[key]) / figures.median(first[key])
                    for key in ("batches", "singles")]
            rows.append((NAMES[kind], figures.grouped(seen["pending"]),
                         figures.mebibytes(seen["rss"]), f"{seen['bytes_per_task']:.1f} B",
                         f"{seen['own'] / seen['pending']:.1f} B" if kind == "carillon" else "",
                         figures.rate(seen["batches"]), f"{flat[0]:.2f} ×",
                         figures.rate(seen["singles"]), f"{flat[1]:.2f} ×"))
    section.table(("", "pending", "resident", "grown per task", "its own count of tasks",
                   "tasks/s in batches", "of the first", "single adds/s", "of the first"), rows)


def render(data, section):
    table(data, section)
    groups = []
    for index, seen in enumerate(data["carillon"]["sizes"]):
        bars = [figures.bar([found["sizes"][index]["bytes_per_task"]]) for found in data.values()]
        groups.append((figures.grouped(seen["pending"]) + " pending", bars))
    section.plot("memory", plot.bars("Memory per pending task beyond its payload", "bytes",
                                     [NAMES[kind] for kind in data], groups),
                 "Bytes of memory per pending task")
    last = data["carillon"]["sizes"][-1]
    for limit in (64, 40):
        section.aim(f"{figures.grouped(last['pending'])} tasks in at most {limit} B each",
                    f"{last['bytes_per_task']:.1f} B", last["bytes_per_task"] <= limit)


__all__ = ["NUMBER", "TITLE", "WHAT", "grow", "render", "run", "table"]
