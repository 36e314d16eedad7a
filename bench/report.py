"""The document: what every row has measured last, rendered from results.json.

A row's module says what was done and renders its own data into a Section; this puts the sections
together, with the checks of their outcome and the date, machine and command of each.
"""

import json
import os
import textwrap

INTRO = """\
# Benchmarks

Made by `bench/compare`, all but the experiments at the end: it installs what is missing, builds, starts Carillon and its
peers one after the other on one machine, and writes this page and its plots from
`docs/benchmarks/results.json`. An absolute time says little on a machine that is shared, or is not
yours; a **ratio** taken in one run, side by side, says more. So contestants take turns (A B A B),
ratios are taken round by round, and the median is given with the least and the most. All are as
durable as each other: what is acknowledged has been fsynced, unless a row says otherwise. All get
their load from the same generator (`carillon-load` and, with the same connections, payloads and
ids, `peer_load`), which shares the machine with them. Outcomes are checked: a figure of a run that
lost something is no figure.

An aim that is not met says so.
"""


# Written by hand, and put at the end.
EXPERIMENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "experiments.md")


class Section:
    """What a row renders itself into."""

    def __init__(self, row):
        self.row = row
        self.blocks = []
        self.aims = []
        self.plots = {}

    def text(self, words):
        self.blocks.append(textwrap.dedent(words).strip())

    def table(self, headers, rows):
        lines = ["| " + " | ".join(headers) + " |", "| --- " + "| ---: " * (len(headers) - 1) + "|"]
        lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
        self.blocks.append("\n".join(lines))

    def aim(self, what, measured, met):
        """`met`: None where it could not be judged in this run."""
        self.aims.append((what, measured, met))

    def plot(self, name, svg, alt):
        self.plots[name + ".svg"] = svg
        self.blocks.append(f"![{alt}](benchmarks/{name}.svg)")


def verdict(met):
    return "not judged" if met is None else "met" if met else "**not met**"


def checks_line(checks):
    bad = [check for check in checks if not check["ok"]]
    if not bad:
        return f"Outcome: {len(checks)} checks, all passed."
    told = "; ".join(f"{c['what']}: expected {c['expected']}, got {c['got']}" for c in bad)
    return f"Outcome: **{len(bad)} of {len(checks)} checks failed**: {told}"


def render_row(row, result):
    section = Section(row)
    section.text(row.WHAT)
    row.render(result["data"], section)
    if section.aims:
        rows = [(what, measured, verdict(met)) for what, measured, met in section.aims]
        section.table(("aim", "measured", ""), rows)
    if hasattr(row, "LIMITS"):
        section.text("What limits it: " + row.LIMITS.strip())
    for note in result["notes"]:
        section.text(note)
    section.text(checks_line(result["checks"]))
    section.text(f"{result['date']}, commit {result['commit']}, {result['rounds']} rounds"
                 f"{', small sizes' if result['quick'] else ''}, {result['seconds']:.0f} s; "
                 f"`{result['command']}`; {result['machine']}; "
                 + ", ".join(f"{name} {version}" for name, version in result["versions"].items()))
    return section


def summary(sections):
    lines = ["| row | aim | measured | |", "| --- | --- | --- | --- |"]
    for section in sections:
        for what, measured, met in section.aims:
            number = section.row.NUMBER
            lines.append(f"| {number} | {what} | {measured} | {verdict(met)} |")
    return "\n".join(lines)


def write(directory, modules, results):
    """Renders the document at `directory`/benchmarks.md and the plots beside it."""
    sections = [render_row(row, results[row.NUMBER]) for row in modules if row.NUMBER in results]
    told = summary(sections) if sections else "Nothing has been measured yet."
    blocks = [INTRO.strip(), "## The aims", told]
    plots = os.path.join(directory, "benchmarks")
    os.makedirs(plots, exist_ok=True)
    for section in sections:
        blocks.append(f"## {section.row.NUMBER}. {section.row.TITLE}")
        blocks += section.blocks
        for name, svg in section.plots.items():
            with open(os.path.join(plots, name), "w", encoding="utf-8") as file:
                file.write(svg)
    with open(EXPERIMENTS, encoding="utf-8") as file:
        blocks.append(file.read().strip())
    with open(os.path.join(directory, "benchmarks.md"), "w", encoding="utf-8") as file:
        file.write("\n\n".join(blocks) + "\n")


def load(directory):
    path = os.path.join(directory, "benchmarks", "results.json")
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def save(directory, results):
    os.makedirs(os.path.join(directory, "benchmarks"), exist_ok=True)
    path = os.path.join(directory, "benchmarks", "results.json")
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
        file.write("\n")
    os.replace(path + ".new", path)

