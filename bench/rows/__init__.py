"""The rows of the comparison, in the order in which they are run and documented.

A row is a module with NUMBER, TITLE, WHAT (what is done, and how each peer is configured and why that
is fair), run(bench) -> data for results.json, and render(data, section).
"""

from bench.rows import adds, batches

ALL = [adds, batches]
NAMES = [row.NUMBER for row in ALL]


def select(names, full):
    """The modules of "all" or of a list such as "1,2,5"; none for "render"."""
    if names == "render":
        return []
    if names == "all":
        return [row for row in ALL if full or row.NUMBER != "5full"]
    wanted = names.split(",")
    for name in wanted:
        if name not in NAMES:
            raise SystemExit(f"compare: there is no row {name}; there are {', '.join(NAMES)}")
    return [row for row in ALL if row.NUMBER in wanted]
