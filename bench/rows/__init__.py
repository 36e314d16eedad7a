"""The rows of the comparison, in the order in which they are documented.

A row is a module with NUMBER, TITLE, WHAT (what is done, and how each peer is configured and why that
is fair), run(bench) -> data for results.json, and render(data, section); and where something was found
that keeps it from its aim, LIMITS, which says what and how that was seen.
"""

from bench.rows import (adds, batches, burst, cancels, crowd, delivery, flood, groups, lateness, lists,
                        memory, memory_full, restart, sidecar, slow, wheel)

ALL = [adds, batches, cancels, groups, memory, memory_full, lateness, burst, crowd, restart, wheel,
       sidecar, slow, flood, lists, delivery]
# Those that share the store of ten million tasks come one after another, the one that fills it first.
RUN = [adds, batches, memory, cancels, groups, lateness, lists, restart, burst, crowd, slow, flood,
       delivery, sidecar, wheel, memory_full]
NAMES = [row.NUMBER for row in ALL]


def select(names, full):
    """The modules of "all" or of a list such as "1,2,5", in the order of running; none for
    "render"."""
    if names == "render":
        return []
    if names == "all":
        return [row for row in RUN if full or row.NUMBER != "5full"]
    wanted = names.split(",")
    for name in wanted:
        if name not in NAMES:
            raise SystemExit(f"compare: there is no row {name}; there are {', '.join(NAMES)}")
    return [row for row in RUN if row.NUMBER in wanted]
