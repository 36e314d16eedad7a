"""The stores of ten million tasks, one of Carillon and one of Redis, which several rows share, since
filling them takes longer than what is then measured."""

from bench import servers

DELAY = "1h..29d"
PAYLOAD_BYTES = 16
KINDS = {"carillon": servers.Carillon, "redis": servers.Redis}


class Store:
    def __init__(self, bench, kind):
        self.bench, self.kind = bench, kind
        self.server = bench.stack.enter_context(servers.running(bench.new(KINDS[kind])))
        self.added = 0      # with ids t-0, t-1, ...
        self.cancelled = 0  # of those, in scattered order
        self.pending = 0

    def words(self, count, batch, connections):
        return ("--count", count, "--batch", batch, "-c", connections, "--delay", DELAY,
                "--payload-bytes", PAYLOAD_BYTES, "--ids", "t-{}", "--first", self.added)

    def add(self, count, batch=1000, connections=8, form=None):
        """Adds the next `count` tasks; answers the load program's figures."""
        words = self.words(count, batch, connections)
        if self.kind == "redis":
            form = form or ("variadic" if batch > 1 else "transaction")
            result = self.bench.peer_load(self.server, "redis-add", "--form", form, *words)
        elif batch > 1:
            result = self.bench.load(self.server, "batch", *words)
        else:
            words = words[:2] + words[4:]  # a single add has no size of batch
            result = self.bench.load(self.server, "add", *words)
        self.added += count
        self.pending += count
        return result

    def fill(self, upto):
        if self.pending < upto:
            self.bench.say(f"filling {self.server.name} to {upto} tasks")
            self.add(upto - self.pending)

    def check(self):
        self.bench.check(f"{self.server.name}: tasks pending", self.pending, self.server.pending())


def kinds(bench):
    return ["carillon"] + (["redis"] if bench.has("redis") else [])


def get(bench, kind):
    """The store as the row before has left it; a new one where there was none."""
    if kind not in bench.shared:
        bench.shared[kind] = Store(bench, kind)
    return bench.shared[kind]


def full(bench, kind):
    store = get(bench, kind)
    store.fill(bench.size(10_000_000, 20_000))
    return store


def close(bench):
    """The rows after this one need none of it."""
    bench.stack.close()
    bench.shared.clear()
