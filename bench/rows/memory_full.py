"""Row 5full: the same with a hundred million tasks, which takes a while, and their restart."""

import time

from bench import figures, store
from bench.rows import memory, restart

NUMBER = "5full"
TITLE = "A hundred million pending tasks"
WHAT = """
Row 5 gone on with, Carillon alone, in one data directory: 1 M, 10 M, then 100 M tasks, each looked
at and added to. Then it is stopped and started again.
"""
LIMITS = """
of the restart (`perf`, cpu-clock, an earlier one of 16 s): the loop's thread is busy all the time, for some 110 ns a
task; a quarter of that waits for the index and its page walks, the rest makes entries and puts them on the wheel.
Beside it on the second core the log is read and decoded (20 % of the processor time of both) and the kernel clears 4 GiB of
fresh pages (25 %; from one start to the next that took it 2 to 7 s on this machine).
"""


def run(bench):
    store.close(bench)
    begin = time.monotonic()
    sizes = bench.size([1_000_000, 10_000_000, 100_000_000], [2_000, 20_000, 40_000])
    kept = store.get(bench, "carillon")
    data = {"carillon": memory.grow(bench, kept, sizes)}
    data["fill_seconds"] = time.monotonic() - begin
    data["restart"] = restart.again(bench, kept, "clean")
    store.close(bench)
    return data


def render(data, section):
    memory.table({"carillon": data["carillon"]}, section)
    section.text(f"All of that took {data['fill_seconds']:.0f} s. Then: stopped in "
                 f"{figures.seconds(data['restart']['stop'])}, and ready "
                 f"{figures.seconds(data['restart']['ready'])} after it was started.")
    first, last = data["carillon"]["sizes"][0], data["carillon"]["sizes"][-1]
    section.aim("100 M in 4 GiB", figures.mebibytes(last["rss"]), last["rss"] <= 4 << 30)
    cost = figures.median(first["batches"]) / figures.median(last["batches"])
    section.aim("adds from the first size to the last within 1.3", f"{cost:.2f} × in batches",
                cost <= 1.3)
    section.aim("later: 100 M loaded in 10 s", figures.seconds(data["restart"]["ready"]),
                data["restart"]["ready"] <= 10)
