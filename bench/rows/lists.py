"""Row 14: lists, forecast and export beside ten million waiting tasks."""

import json
import threading
import time
import urllib.parse
import urllib.request

from bench import figures, store

NUMBER = "14"
TITLE = "Lists, forecast and export, 10 M pending"
WHAT = """
The store of row 5, with a group of 200,000 tasks in it. First single pages of 1,000 tasks, each kind
asked for again and again over one connection at moments spread over all dues, and a forecast of a
day; what counts is the time to the whole answer. Then a walk through the store, page after page, and
an export of all of it, each beside 1,000 tasks a second that fall due: what counts is the lateness of
those. A walk of all pages would take minutes; it goes on for as long as tasks fall due.
"""
PAGE = 1000
AIMS = {"due": 0.05, "group": 0.05, "state": 2, "target": 2, "URL": 2}


def get(server, path):
    with urllib.request.urlopen(server.url + path, timeout=300) as answer:
        return answer.read()


def page(server, **words):
    path = "/v1/tasks?" + urllib.parse.urlencode({"limit": PAGE, **words})
    begin = time.monotonic()
    answer = get(server, path)
    return json.loads(answer), time.monotonic() - begin


def add_group(bench, kept):
    count = bench.size(200_000, 2_000)
    bench.places += 1  # names the group
    group = f"group{bench.places}"
    bench.load(kept.server, "batch", "--count", count, "--batch", 1000, "-c", 8, "--payload-bytes",
               store.PAYLOAD_BYTES, "--delay", store.DELAY, "--ids", group + "-{}", "--group", group)
    kept.pending += count
    return group


def filters(bench, kept, group):
    """Of each kind, what is asked for: by due at moments spread over 28 days."""
    times = bench.size(50, 5)
    now = time.time()
    moments = [int((now + 3600 + 28 * 86400 * i / times) * 1000) for i in range(times)]
    kept.server.call("PUT", "/v1/targets/few", {"url": "http://127.0.0.1:9/"})
    few = [{"id": f"few{bench.places}-{i}", "delay": "20d", "target": "few"} for i in range(2 * PAGE)]
    kept.server.call("POST", "/v1/tasks:batchCreate", few)
    kept.pending += len(few)
    return {"due": [{"due_from": moment} for moment in moments],
            "group": [{"group": group}] * times,
            "state": [{"state": "scheduled"}] * bench.size(10, 2),
            "target": [{"target": "few"}] * bench.size(10, 2),
            "URL": [{"target": "http://127.0.0.1:9/"}] * bench.size(10, 2)}


def pages(bench, kept, group):
    times = {}
    for kind, wanted in filters(bench, kept, group).items():
        answers = [page(kept.server, **words) for words in wanted]
        bench.check(f"pages by {kind}: all are full", [PAGE],
                    sorted({len(answer["tasks"]) for answer, _ in answers}))
        times[kind] = [seconds for _, seconds in answers]
        bench.say(f"a page by {kind}: {figures.median(times[kind]) * 1e3:.1f} ms")
    begin = time.monotonic()
    get(kept.server, "/v1/forecast?bucket=1h")
    times["forecast"] = [time.monotonic() - begin]
    return times


class Walk:
    """Goes from page to page; counts what it sees."""

    def __init__(self, server):
        self.server, self.tasks, self.order, self.last = server, 0, True, ""

    def run(self, ended):
        cursor = {}
        while not ended.is_set():
            answer, _ = page(self.server, **cursor)
            self.tasks += len(answer["tasks"])
            for task in answer["tasks"]:
                self.order = self.order and self.last <= task["due_at"]
                self.last = task["due_at"]
            if "next_cursor" not in answer:
                return
            cursor = {"cursor": answer["next_cursor"]}


class Exporting:
    def __init__(self, server):
        self.server, self.tasks, self.order = server, 0, True

    def run(self, ended):
        while not ended.is_set():
            with urllib.request.urlopen(self.server.url + "/v1/export", timeout=300) as answer:
                for piece in iter(lambda: answer.read(1 << 16), b""):
                    self.tasks += piece.count(b"\n")
                    if ended.is_set():
                        return


def beside(bench, kept, what, reader):
    """The lateness of tasks that fall due while `reader` reads; None: nobody does."""
    duration = bench.size(20_000, 1_500)
    lead = bench.size(3000, 500)
    count = bench.size(1000, 200) * duration // 1000
    bench.places += 1
    ended = threading.Event()
    thread = threading.Thread(target=reader.run, args=(ended,)) if reader else None
    with bench.receiver() as receiver:
        added = bench.load(kept.server, "batch", "--count", count, "--batch", 500, "-c", 4, "--delay",
                           f"{lead}ms..{lead + duration}ms", "--ids", f"due14-{bench.places}-{{}}",
                           "--target", receiver.url)
        if thread:
            thread.start()
        time.sleep((lead + duration) / 1000 + 1)
        ended.set()
        if thread:
            thread.join()
        got = bench.close_receiver(receiver)
    bench.check(f"{what}: pushed", count, got["accepted"])
    bench.check(f"{what}: sum over the ids", added["number_sum"], got["number_sum"])
    if reader:
        bench.check(f"{what}: in due order", True, reader.order)
    late = got["lateness_us"]
    bench.say(f"{what}: p50 {late['p50']} us, p99 {late['p99']} us")
    return {"tasks": reader.tasks if reader else 0, "seconds": duration / 1000, "lateness": late}


def run(bench):
    kept = store.full(bench, "carillon")
    group = add_group(bench, kept)
    data = {"pages": pages(bench, kept, group),
            "beside": {"alone": beside(bench, kept, "alone", None),
                       "a walk": beside(bench, kept, "a walk", Walk(kept.server)),
                       "an export": beside(bench, kept, "an export", Exporting(kept.server))}}
    kept.check()
    return data


def render(data, section):
    rows = [(kind if kind == "forecast" else f"page by {kind}",
             figures.seconds(figures.median(times)), figures.seconds(max(times)))
            for kind, times in data["pages"].items()]
    section.table(("", "median", "slowest"), rows)
    rows = [(name, f"{run['tasks'] / run['seconds']:,.0f}",
             *(figures.micros(run["lateness"][key]) for key in ("p50", "p99", "p99.9")))
            for name, run in data["beside"].items()]
    section.table(("beside the pushes", "tasks read a second", "lateness p50", "p99", "p99.9"), rows)
    for kind, aim in AIMS.items():
        took = figures.median(data["pages"][kind])
        section.aim(f"a page of 1,000 by {kind} within {aim * 1e3:.0f} ms", figures.seconds(took),
                    took < aim)
    p99 = data["beside"]["a walk"]["lateness"]["p99"]
    section.aim("p99 of lateness during a walk under 5 ms", figures.micros(p99), p99 < 5000)
