"""What is important beside a burst for the same target: with lanes, and without."""

import collections
import contextlib
import select
import socket
import threading
import time

from bench import rabbit
from bench.context import wait_until_confirmed

CONCURRENCY = 64
TAKES_S = 0.005  # of the receiver, for each push
RESERVED = 0.2
ADDED_AT_ONCE = 5000
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Receiver(threading.Thread):
    """Answers each push after TAKES_S, and keeps which task came when.

    carillon-load's receiver has one figure for all tasks. This one is a bare loop, since asyncio
    would be what is measured: it takes some 20 µs a push.
    """

    def __init__(self):
        super().__init__(daemon=True)
        self.arrivals = []   # (time, id) in their order
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=CONCURRENCY * 2)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.wires = {}      # by file descriptor
        self.parts = {}      # of each: the begin of a push whose rest has not come
        self.answers = collections.deque()  # (when, wire): all take equally long
        self.over = False

    def run(self):
        listening = self.listener.fileno()
        while not self.over:
            wait = self.answers[0][0] - time.monotonic() if self.answers else 0.05
            readable, _, _ = select.select([listening, *self.wires], (), (), max(0, wait))
            for number in readable:
                if number == listening:
                    wire, _ = self.listener.accept()
                    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self.wires[wire.fileno()], self.parts[wire.fileno()] = wire, b""
                else:
                    self.read(number)
            now = time.monotonic()
            while self.answers and self.answers[0][0] <= now:
                with contextlib.suppress(OSError):  # the server has closed it
                    self.answers.popleft()[1].sendall(ANSWER)

    def read(self, number):
        wire, came = self.wires[number], b""
        with contextlib.suppress(ConnectionError):
            came = wire.recv(1 << 16)
        if not came:
            del self.wires[number], self.parts[number]
            wire.close()
            return
        now, data = time.time(), self.parts[number] + came
        head = data.find(b"\r\n\r\n")
        if head < 0 or len(data) < head + 4 + int(field(data, b"\r\nContent-Length: ")):
            self.parts[number] = data
            return
        # The server sends the next push once this one is answered: there is no more than one.
        self.parts[number] = b""
        self.arrivals.append((now, field(data, b"\r\ncarillon-task-id: ").decode()))
        self.answers.append((time.monotonic() + TAKES_S, wire))

    def wait_for(self, count, patience_s):
        end = time.monotonic() + patience_s
        while len(self.arrivals) < count and time.monotonic() < end:
            time.sleep(0.02)

    def close(self):
        self.over = True
        self.join()
        for wire in (self.listener, *self.wires.values()):
            wire.close()


def field(head, name):
    begin = head.index(name) + len(name)
    return head[begin:head.index(b"\r\n", begin)]


def add(server, dues, lane):
    """Adds tasks with these ids and dues; `lane`: empty for none."""
    ids, named = list(dues), {"lane": lane} if lane else {}
    for first in range(0, len(ids), ADDED_AT_ONCE):
        tasks = [{"id": name, "target": "receiver", "due_at": dues[name],
                  "payload": {"text": "x" * 139}, **named} for name in ids[first:first + ADDED_AT_ONCE]]
        failed = server.call("POST", "/v1/tasks:batchCreate", tasks)["failed"]
        if failed:
            raise RuntimeError(f"{failed} tasks were refused")


def run(bench, with_lanes):
    """Answers how late the important tasks were, and when the last of the burst came."""
    rate = bench.size(1000, 200)
    due = int(time.time() * 1000) + bench.size(15_000, 3_000)
    first = due - bench.size(500, 200)
    critical = {f"critical-{i}": first + i * 1000 // rate for i in range(rate * bench.size(10, 1))}
    bulk = {f"bulk-{i}": due for i in range(bench.size(200_000, 3_000))}
    receiver = Receiver()
    receiver.start()
    try:
        with bench.carillon() as server:
            server.call("PUT", "/v1/targets/receiver",
                        {"url": receiver.url, "concurrency": CONCURRENCY})
            if with_lanes:
                server.call("PUT", "/v1/lanes/bulk", {})
                server.call("PUT", "/v1/lanes/critical", {"reserved": RESERVED})
            add(server, critical, "critical" if with_lanes else "")
            add(server, bulk, "bulk" if with_lanes else "")
            if time.time() * 1000 > first:
                raise RuntimeError("adding took too long: the first was due before the last was added")
            receiver.wait_for(len(critical) + len(bulk), 120)
            wait_until_confirmed(server, due / 1000)
            bench.check("lanes: nothing is left", 0, server.pending())
            lane = server.call("GET", "/v1/lanes/" + ("critical" if with_lanes else "default"))
            bench.check("lanes: pushes in the lane, as the server counts",
                        len(critical) + (0 if with_lanes else len(bulk)), lane["lateness_ms"]["count"])
    finally:
        receiver.close()
    return judge(bench, receiver.arrivals, critical, bulk)


def judge(bench, arrivals, critical, bulk):
    dues = {**critical, **bulk}
    bench.check("lanes: received", len(dues), len(arrivals))
    bench.check("lanes: ids, each once", len(dues), len({name for _, name in arrivals if name in dues}))
    bench.check("lanes: early", 0, sum(at * 1000 < dues[name] for at, name in arrivals))
    late = [int(at * 1e6) - dues[name] * 1000 for at, name in arrivals if name in critical]
    last = max(int(at * 1e6) - dues[name] * 1000 for at, name in arrivals if name in bulk)
    return {"lateness": rabbit.figures_of(late), "last": last}
