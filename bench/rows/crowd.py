"""Row 8: the burst in a crowd."""

import time

from bench import figures
from bench.context import moment

NUMBER = "8"
TITLE = "The burst, while 200,000 time-outs are cancelled and 5,000 adds/s go on"
WHAT = """
Carillon alone. 200,000 tasks fall due in one millisecond and are pushed to one receiver. At that
moment another caller begins to cancel 200,000 others, one `DELETE` each, closed loop on 16
connections; and all the while 5,000 adds a second go on (open loop, 64 connections, from a second
before to six after): what they suffer is what counts, measured from when each was due to be sent.
Generators and receiver take their share of the same processors.
"""


def one(bench):
    count = bench.size(200_000, 2_000)
    ahead = bench.size(8, 2)
    with bench.receiver() as receiver, bench.carillon() as server:
        bench.load(server, "batch", "--count", count, "-c", 8, "--ids", "out-{}", "--delay", "1h")
        due = int(time.time() + ahead)
        added = bench.load(server, "batch", "--count", count, "-c", 8, "--ids", "burst-{}",
                           "--target", receiver.url, "--due-at", moment(due))
        time.sleep(max(0, due - bench.size(1, 0.2) - time.time()))
        adds = bench.start_load(server, "add", "--rate", bench.size(5000, 500), "-c", 64,
                                "--duration", bench.size("7s", "1s"), "--ids", "beside-{}",
                                "--delay", "1h..24h")
        time.sleep(max(0, due - time.time()))
        cancelled = bench.load(server, "cancel", "--count", count, "-c", 16, "--ids", "out-{}")
        beside = bench.finish(adds)
        pending_until(server, beside["tasks"])
        bench.check("cancelled", count, cancelled["tasks"])
        bench.check("pending", beside["tasks"], server.pending())
        got = bench.close_receiver(receiver)
    bench.check("received", count, got["accepted"])
    bench.check("sum over the ids", added["number_sum"], got["number_sum"])
    latency = beside["latency_us"]
    found = {"last": got["last_at_us"] - due * 1_000_000, "cancel_seconds": cancelled["seconds"],
             "p50": latency["p50"], "p99": latency["p99"], "max": latency["max"]}
    bench.say(f"adds' p99 {found['p99']} us; burst done after {found['last'] / 1e6:.2f} s")
    return found


def pending_until(server, expected, patience_s=60):
    end = time.monotonic() + patience_s
    while server.pending() > expected and time.monotonic() < end:
        time.sleep(0.05)


def run(bench):
    return {"runs": [one(bench) for _ in range(bench.rounds)]}


def render(data, section):
    def spread(key, form=figures.micros):
        return figures.spread([run[key] for run in data["runs"]], form)

    section.table(("", ""), [("adds, p50", spread("p50")), ("adds, p99", spread("p99")),
                             ("adds, worst", spread("max")),
                             ("the last of the burst after", spread("last")),
                             ("200,000 cancels took", spread("cancel_seconds", figures.seconds))])
    p99 = figures.median([run["p99"] for run in data["runs"]])
    section.aim("adds' p99 under 25 ms", figures.micros(p99), p99 < 25_000)
