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
48 bytes a task are 4.5 GiB, where 4 GiB would be 43 bytes. An add into a batch takes longer because
nearly every index bucket and entry that it touches is in no cache and its address in no translation
buffer, prefetched or not; single adds, which system calls dominate, do not notice. Of the restart about
two fifths are the kernel clearing fresh pages and as much again address translation (`perf`, cpu-clock,
while 100 M were replayed).
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
