"""Row 12: slow receivers beside a fast one."""

import threading
import time

from bench import figures
from bench.context import moment

NUMBER = "12"
TITLE = "10,000 pushes to receivers that take a second each, beside a fast target"
WHAT = """
Carillon alone. The target *slow* has `concurrency` 5,000; its receiver answers each push after one
second; 10,000 tasks of it are due at once, so 2 s is the least that it can take. The target *fast*
has tasks due at random moments, on average 1,000 a second, from three seconds before to three
after. Memory is how much the process grew from before the burst to its highest.
"""
LIMITS = """
The loop's thread, which opens 5,000 connections. In the half second from the burst on (`perf
record`, cpu-clock) it is busy for a third of a second, 84 % of that in the kernel: `connect` 38 %,
`socket` 8 %, and 28 % outside any call, in TCP's interrupts, for on loopback the opening side also
does the receiver's part. What of *fast* falls due in that time, some one task in twenty, waits its
turn between sixteen openings at a time, for its `Fire` and again for its push, and so p99 is a
figure of just these. From one run to another it was 7.9 to 12.5 ms. Fewer openings in a turn make
that time longer, more of them the turn: with 4 p99 was 15 to 37 ms, with 32 it was 9.7 to 12.2,
with 64 22 to 67, beside 8.3 to 11.5 with 16 (three runs each, by turns). A receiver on a machine of
its own would take its part away.
"""


class Peak(threading.Thread):
    """Watches a server's resident memory."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.over = server, threading.Event()
        self.before = self.highest = server.memory()["rss"]

    def run(self):
        while not self.over.wait(0.02):
            self.highest = max(self.highest, self.server.memory()["rss"])

    def growth(self):
        self.over.set()
        self.join()
        return self.highest - self.before


def one(bench):
    count, rate = bench.size(10_000, 400), bench.size(1000, 200)
    with bench.receiver("--answer-delay", "1s") as slow, bench.receiver() as fast, \
            bench.carillon() as server:
        server.call("PUT", "/v1/targets/slow", {"url": slow.url, "concurrency": bench.size(5000, 200)})
        server.call("PUT", "/v1/targets/fast", {"url": fast.url})
        due = int(time.time() + bench.size(5, 2.5))
        words = ("--batch", 500, "-c", 4)
        added = {"slow": bench.load(server, "batch", *words, "--count", count, "--target", "slow",
                                    "--ids", "slow-{}", "--due-at", moment(due)),
                 "fast": bench.load(server, "batch", *words, "--count", rate * bench.size(6, 2), "--target",
                                    "fast", "--ids", "fast-{}", "--delay",
                                    bench.size("2s..8s", "500ms..2500ms"))}
        time.sleep(max(0, due - bench.size(3, 0.5) - time.time()))
        peak = Peak(server)
        peak.start()
        time.sleep(max(0, due + bench.size(5, 2.6) - time.time()))
        growth = peak.growth()
        got = {"slow": bench.close_receiver(slow), "fast": bench.close_receiver(fast)}
        bench.check("pending", 0, server.pending())
    for name, result in got.items():
        bench.check(f"{name}: received", added[name]["tasks"], result["accepted"])
        bench.check(f"{name}: sum over the ids", added[name]["number_sum"], result["number_sum"])
    late = got["fast"]["lateness_us"]
    done = (got["slow"]["last_at_us"] / 1e6 - due) + 1
    bench.say(f"done in {done:.2f} s, fast p99 {late['p99']} us, grew by {growth >> 20} MiB")
    return {"done": done, "p50": late["p50"], "p99": late["p99"], "max": late["max"],
            "growth": growth, "connections": got["slow"]["connections"]}


def run(bench):
    return {"runs": [one(bench) for _ in range(bench.rounds)]}


def render(data, section):
    def values(key):
        return [run[key] for run in data["runs"]]

    section.table(("", ""), [
        ("all of *slow* answered after", figures.spread(values("done"), figures.seconds)),
        ("its connections", figures.spread(values("connections"), figures.grouped)),
        ("lateness of *fast*, p50", figures.spread(values("p50"), figures.micros)),
        ("p99", figures.spread(values("p99"), figures.micros)),
        ("worst", figures.spread(values("max"), figures.micros)),
        ("memory grew by", figures.spread(values("growth"), figures.mebibytes))])
    done, p99, growth = (figures.median(values(key)) for key in ("done", "p99", "growth"))
    section.aim("done in 3 s", figures.seconds(done), done <= 3)
    section.aim("the fast target's p99 lateness under 10 ms", figures.micros(p99), p99 < 10_000)
    section.aim("under 100 MiB for it", figures.mebibytes(growth), growth < 100 << 20)
