"""Row 16: queues as receivers, and lanes."""

from bench import figures, lanes, nats, plot, queues

NUMBER = "16"
TITLE = "Queues and lanes"
WHAT = """
**Lanes.** 200,000 tasks are due at one instant for a target of concurrency 64 whose receiver takes
5 ms for each push, so 15.6 s is the least that they can take. Beside it 1,000 important tasks a
second are due for the same target, for 10 s from half a second before that instant on. Late is from
the due time to the push at the receiver, which has read it.

- **With lanes**: the 200,000 are in the lane *bulk*, the important ones in the lane *critical*, which
  has `"reserved": 0.2`: 12 of the 64 pushes are kept for it, so the others take longer.
- **Without**: all are in the lane *default*, which is where tasks are that name none.

**Queues.** 10,000 tasks with payloads of 150 bytes are due at one instant. Counted is from then
until all are delivered. For Carillon the server says so: the queue has confirmed each, and that is on
disk. All servers are on this machine and sync what they confirm. Carillon connects when the first task
is due. At the end the queue is read: each id must be there, and once.

- **Carillon to a Redis stream**: a target of kind `redis`; `appendfsync always`.
- **Carillon to RabbitMQ**: a target of kind `amqp`; a durable classic queue, persistent messages,
  publisher confirms.
- **Carillon to NATS JetStream**: a target of kind `nats`; a stream on file, once with `sync_interval:
  always`, so that each message is on disk when it is confirmed, and once with NATS' default of two
  minutes, which is less than all others here keep through a power cut.
- **Redis, polled**: the tasks are in a sorted set and a hash. Each 10 ms a poller calls a script that
  moves 1,000 due members to a stream, and calls it again at once after a full thousand. Counted is until
  the last is in the stream. Nothing leaves the one server, and it keeps no outcome of a task.
- **RabbitMQ, TTL**: each message waits in a queue with a TTL of its own and is then dead-lettered to
  another. All TTLs end at the instant, so that no message waits for one ahead of it as in row 6. Counted is
  until the last is in the other queue. Dead-lettering from a classic queue waits for no confirm.

Kafka is left out: Debian has no broker of it.
"""
LIMITS = """
with NATS that syncs always, its syncs: without them the same takes a twentieth of the time. On this
machine 2,000 writes of 250 bytes with an `fsync` after each took 120 µs each on average; 10,000 one
after the other are 1.2 s.
"""
CROWDS = {"with": "with lanes", "without": "without lanes"}
# The name of each, and what runs it.
QUEUES = {"redis": ("Carillon to a Redis stream", queues.to_redis),
          "polled": ("Redis, polled", queues.poll_redis),
          "rabbitmq": ("Carillon to RabbitMQ", queues.to_rabbitmq),
          "ttl": ("RabbitMQ, TTL", queues.dead_letter),
          "nats": ("Carillon to NATS, synced always", queues.to_nats),
          "lazy_nats": ("Carillon to NATS, synced later", queues.to_lazy_nats)}
AIMS = {"redis": 50_000, "rabbitmq": 10_000, "nats": 20_000, "lazy_nats": 20_000}  # a second


def queue_names(bench, program):
    names = ["redis", "polled"] if bench.has("redis") else []
    names += ["rabbitmq", "ttl"] if bench.has("rabbitmq") else []
    if program is None:
        bench.notes.append("NATS is not installed on this machine, so it is not measured.")
    return names + ([] if program is None else ["nats", "lazy_nats"])


def run(bench):
    program, count = nats.find(), bench.size(10_000, 500)
    names = queue_names(bench, program)
    data = {"lanes": {crowd: [] for crowd in CROWDS}, "queues": {name: [] for name in names},
            "count": count, "nats": nats.version(program) if program else ""}
    for _ in range(bench.rounds):
        for crowd in CROWDS:
            found = lanes.run(bench, crowd == "with")
            data["lanes"][crowd].append(found)
            bench.say(f"{CROWDS[crowd]}: p99 {found['lateness']['p99']} us, the last of the burst "
                      f"after {found['last'] / 1e6:.2f} s")
        for name in names:
            title, contest = QUEUES[name]
            took = contest(bench, count)
            data["queues"][name].append(took)
            bench.say(f"{title}: all after {took / 1e3:.0f} ms")
    return data


def render_lanes(measured, section):
    rows = [(CROWDS[crowd],
             *(figures.spread([run["lateness"][key] for run in runs], figures.micros)
               for key in ("p50", "p99", "max")),
             figures.spread([run["last"] for run in runs], figures.micros))
            for crowd, runs in measured.items()]
    section.table(("", "*critical* late p50", "p99", "worst", "the last of *bulk* after"), rows)
    section.plot("lanes", plot.lines("Important tasks beside a burst for the same target", "lateness",
                                     "share of the important tasks",
                                     [(CROWDS[crowd], plot.curve(runs[0]["lateness"]))
                                      for crowd, runs in measured.items()], log_x=True,
                                     x_format=plot.micros), "How late important tasks come")
    p99 = figures.median([run["lateness"]["p99"] for run in measured["with"]])
    section.aim("with lanes: critical's p99 lateness under 25 ms", figures.micros(p99), p99 < 25_000)


def render(data, section):
    render_lanes(data["lanes"], section)
    count, rows = data["count"], []
    for name, times in data["queues"].items():
        rates = [count / (took / 1e6) for took in times]
        rows.append((QUEUES[name][0], figures.spread(times, figures.micros), figures.rate(rates)))
        if name in AIMS:
            section.aim(f"{QUEUES[name][0]}: {figures.grouped(AIMS[name])} a second",
                        figures.rate(rates), figures.median(rates) >= AIMS[name])
    if rows:
        section.table(("", f"all {figures.grouped(count)} after", "tasks/s"), rows)
    if data["nats"]:
        section.text(f"NATS is of version {data['nats']}.")
