"""Row 2: durable adds in batches."""

from bench import figures, plot
from bench.context import FAR, tail

NUMBER = "2"
TITLE = "Durable adds, 1,000 tasks a request"
WHAT = """
8 connections, closed loop, the tasks as in row 1.

- **Carillon**: `POST /v1/tasks:batchCreate` with a JSON array; each task is parsed, checked and
  answered by itself.
- **Redis pipelined**: `HSET` and `ZADD` of each of the 1,000 tasks, written at once, their 2,000
  replies then read. With `appendfsync always` Redis syncs once for all commands that it reads in
  one turn of its loop.
- **Redis variadic**: `MULTI`, one `HSET` with 1,000 fields, one `ZADD` with 1,000 members, `EXEC`:
  the most that Redis can be helped.
"""
LIMITS = """
the processor, two cores for server and generator together. In a run of 5 s the server takes 6.9 of the
10 s that the two have; its loop, which reads JSON, hashes, encodes contents and waits for memory (each
task touches a place of the index and an entry that no cache holds), was found busy four fifths of the time
(`perf`, cpu-clock).
"""
NAMES = {"carillon": "Carillon", "pipeline": "Redis pipelined", "variadic": "Redis variadic"}


def one(bench, name, words):
    if name == "carillon":
        with bench.carillon() as server:
            result = bench.load(server, "batch", *words)
            bench.check("Carillon: tasks pending", result["tasks"], server.pending())
    else:
        with bench.peer("redis") as server:
            result = bench.peer_load(server, "redis-add", "--form", name, *words)
            bench.check("Redis: ZCARD", result["tasks"], server.pending())
            bench.check("Redis: HLEN", result["tasks"], server.payloads())
    bench.say(f"{NAMES[name]}: {result['tasks_per_second']:.0f} tasks/s")
    return tail(result)


def run(bench):
    words = ("-c", 8, "--batch", bench.size(1000, 200), *bench.closed_loop("5s", 5000),
             "--delay", FAR, "--payload-bytes", 150)
    names = ["carillon"] + (["pipeline", "variadic"] if bench.has("redis") else [])
    data = {name: [] for name in names}
    for _ in range(bench.rounds):
        for name in names:
            data[name].append(one(bench, name, words))
    return data


def speeds(data, name):
    return [run["per_second"] for run in data[name]]


def render(data, section):
    ours = speeds(data, "carillon")
    rows = [(NAMES[name], figures.rate(speeds(data, name)),
             "" if name == "carillon" else figures.times(figures.ratios(ours, speeds(data, name))),
             figures.micros(figures.median([run["p50"] for run in data[name]])),
             figures.micros(figures.median([run["p99"] for run in data[name]]))) for name in data]
    section.table(("", "tasks/s", "Carillon is", "p50 of a batch", "p99"), rows)
    section.plot("batches", plot.bars(TITLE, "tasks/s", [NAMES[name] for name in data],
                                      [("8 connections", [figures.bar(speeds(data, name))
                                                          for name in data])]),
                 "Durable adds a second in batches")
    if "pipeline" in data:
        ratio = figures.ratios(ours, speeds(data, "pipeline"))
        section.aim("3 times Redis, pipelined", figures.times(ratio), figures.median(ratio) >= 3)
    section.aim("400 k tasks/s", figures.rate(ours, " tasks/s"), figures.median(ours) >= 400_000)
