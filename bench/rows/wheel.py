"""Row 10: the timing wheel alone, in one process."""

import json
import subprocess

from bench import figures

NUMBER = "10"
TITLE = "The wheel alone"
WHAT = """
`bench/wheel_bench.cc`, in one thread and one process, no disk and no network: what scheduling,
cancelling and firing a task costs in the wheel and in other structures, with the same tasks for
all, which must fire in the same order. Its own comment says how each contender is used. For
comparison, what the authors of two public wheels in C and C++ give for theirs on machines of their
own: 3 ns to schedule, 20 ns to cancel, 48 and 72 bytes a timer, without an index by id. Ten million
at a time take minutes and are run with `--full`.
"""
LIMITS = """
Memory. At 10,000 tasks, which caches hold, a cancel takes 11 to 13 ns and scheduling 22 (a task is
filled in, put at a list's end and its slot marked: 14 % of that run are `Lists::push_back`, 11 %
`Wheel::insert`). At 10 M tasks 320 MB are in no cache: of that run's processor time (`perf record`,
cpu-clock, 8,206 samples) `Wheel::remove` has 37 %, 96 % of which at its first look at the entry,
and `Lists::unlink` 9 %, all but a fifteenth at the two neighbours; 18 % are the caller's own
handles, cancelled in random order. So a cancel is three looks at memory far apart, whatever the
code between them. Scheduling at 10 M is mostly the kernel clearing fresh pages (18 %, half of it on
the thread that clears ahead).
"""
STANDARD = {"name", "run_name", "run_type", "repetitions", "repetition_index", "threads",
            "iterations", "real_time", "cpu_time", "time_unit", "family_index",
            "per_family_instance_index", "label", "aggregate_name", "aggregate_unit",
            "error_occurred", "error_message"}


def sizes_of(bench, program):
    """The benchmarks that are run: 10 k alone in a smoke run, else 1 M too, and 10 M with --full."""
    listed = subprocess.run([program, "--benchmark_list_tests"], capture_output=True, text=True,
                            check=True).stdout.split()
    wanted = {"10000"} | (set() if bench.quick else {"1000000"}) | ({"10000000"} if bench.full else set())
    return [name for name in listed if name.split("/")[1] in wanted]


def run(bench):
    program = bench.program("wheel_bench")
    names = sizes_of(bench, program)
    if not names:
        bench.notes.append("This build has no run of it that is small enough for a smoke run.")
        return {}
    out = subprocess.run([program, "--benchmark_format=json",
                          f"--benchmark_repetitions={1 if bench.quick else bench.rounds}",
                          "--benchmark_filter=^(" + "|".join(names) + ")$"],
                         capture_output=True, text=True, check=True, timeout=900).stdout
    found = {}
    for seen in json.loads(out)["benchmarks"]:
        if seen.get("run_type") == "aggregate":
            continue
        bench.check(f"{seen['run_name']}: fired the right tasks", None, seen.get("error_message"))
        counters = found.setdefault(seen["run_name"].split("/iterations")[0], {})
        for key, value in seen.items():
            if key not in STANDARD:
                counters.setdefault(key, []).append(value)
    bench.check("something was measured", True, bool(found))
    return found


def render(data, section):
    keys = list(dict.fromkeys(key for counters in data.values() for key in counters))
    rows = [(name, *(figures.spread(counters[key], lambda value: f"{value:.1f}")
                     if key in counters else "" for key in keys)) for name, counters in data.items()]
    section.table(("contender/tasks", *(key.replace("_", " ") for key in keys)), rows)
    judge(data, section)


def judge(data, section):
    """Of the largest run of the bare wheel."""
    names = [name for name in data if name.startswith("wheel/")]
    if not names:
        return
    name = max(names, key=lambda name: int(name.split("/")[1]))
    for key, best in (("schedule_ns", 3), ("cancel_ns", 20)):
        if key in data[name]:
            took = figures.median(data[name][key])
            section.aim(f"{name}: {key.split('_')[0]} within 2 × {best} ns", f"{took:.1f} ns",
                        took <= 2 * best)
