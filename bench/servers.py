"""Starts and stops the contestants: each on a free loopback port, in a directory of its own, ended by
its own process id."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

START_PATIENCE_S = 120


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process and its directory. `command` and `ready` are the subclass's."""

    name = ""

    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        self.port = free_port()
        self.process = None

    def environment(self):
        return dict(os.environ)

    def start(self, wait=True):
        """Answers the monotonic time of the start."""
        with open(self.directory + ".log", "ab") as log:
            begin = time.monotonic()
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, cwd=self.directory,
                                            env=self.environment(), start_new_session=True)
        if wait:
            self.wait_ready()
        return begin

    def wait_ready(self, patience=START_PATIENCE_S):
        begin = time.monotonic()
        end = begin + patience
        while not self.ready():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}; see "
                                   f"{self.directory}.log")
            if time.monotonic() > end:
                raise RuntimeError(f"{self.name} is not ready after {patience} s")
            # Asked often at first; later seldom enough to be no load on what is being loaded.
            time.sleep(min(0.1, max(0.002, (time.monotonic() - begin) / 100)))

    def stop(self, how=signal.SIGTERM):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def kill(self):
        self.stop(signal.SIGKILL)

    @property
    def pid(self):
        return self.process.pid

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def memory(self):
        """Bytes: resident now and at most, and the anonymous part now."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            status = file.read()
        kib = {key: int(value) for key, value in re.findall(r"^(\w+):\s+(\d+) kB", status, re.M)}
        return {"rss": kib["VmRSS"] << 10, "peak": kib["VmHWM"] << 10, "anon": kib["RssAnon"] << 10}

    def activity(self):
        """CPU ticks and voluntary context switches of all threads so far."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        switches = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{task}/status", encoding="ascii") as file:
                switches += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.M)[1])
        return {"ticks": int(fields[11]) + int(fields[12]), "switches": switches}


class Carillon(Server):
    name = "Carillon"
    binaries = ""  # set once by compare

    def command(self):
        return [os.path.join(self.binaries, "carillond"), "--data-dir",
                os.path.join(self.directory, "data"), "--listen", self.address, "--log-level",
                "warning"]

    @property
    def url(self):
        return f"http://{self.address}"

    def ready(self):
        try:
            self.call("GET", "/readyz")
            return True
        except OSError:  # HTTPError is one
            return False

    def call(self, method, path, body=None, timeout=120):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method,
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.loads(answer.read() or b"null")

    def pending(self):
        return self.call("GET", "/v1/stats")["counts"]["scheduled"]

    @classmethod
    def version(cls):
        out = subprocess.run([os.path.join(cls.binaries, "carillond"), "--version"],
                             capture_output=True, text=True, check=True).stdout
        return out.split()[-1]


class Redis(Server):
    name = "Redis"
    program = "redis-server"

    def command(self):
        return [self.program, "--bind", "127.0.0.1", "--port", str(self.port), "--dir",
                self.directory, "--save", "", "--appendonly", "yes", "--appendfsync", "always",
                "--auto-aof-rewrite-percentage", "0", "--maxclients", "4000"]

    def ready(self):
        try:
            return self.call("PING") == "PONG"
        except (OSError, RedisError):
            return False

    def call(self, *words):
        parts = [str(word).encode() for word in words]
        request = b"*%d\r\n" % len(parts)
        request += b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        with socket.create_connection(("127.0.0.1", self.port), timeout=300) as wire:
            wire.sendall(request)
            return read_reply(wire.makefile("rb"))

    def pending(self):
        return self.call("ZCARD", "tasks")

    def payloads(self):
        return self.call("HLEN", "payloads")

    def used_memory(self):
        return int(re.search(r"used_memory:(\d+)", self.call("INFO", "memory"))[1])

    @classmethod
    def version(cls):
        out = subprocess.run([cls.program, "--version"], capture_output=True, text=True,
                             check=True).stdout
        return re.search(r"v=(\S+)", out)[1]


class RedisError(Exception):
    """A reply that begins with a minus."""


def read_reply(stream):
    line = stream.readline()
    if not line:
        raise OSError("the connection broke")
    kind, rest = line[:1], line[1:-2].decode()
    if kind == b"-":
        raise RedisError(rest)
    if kind == b":":
        return int(rest)
    if kind == b"+":
        return rest
    if kind == b"$":
        return None if int(rest) < 0 else stream.read(int(rest) + 2)[:-2].decode()
    return [read_reply(stream) for _ in range(int(rest))]


class Beanstalkd(Server):
    name = "beanstalkd"
    program = "beanstalkd"

    def command(self):
        return [self.program, "-l", "127.0.0.1", "-p", str(self.port), "-b", self.directory, "-f",
                "0"]

    def stats(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as wire:
            wire.sendall(b"stats\r\n")
            stream = wire.makefile("rb")
            size = int(stream.readline().split()[1])
            return dict(re.findall(r"^([\w-]+): (\S+)$", stream.read(size).decode(), re.M))

    def ready(self):
        try:
            return bool(self.stats())
        except OSError:
            return False

    def pending(self):
        return int(self.stats()["current-jobs-delayed"])

    @classmethod
    def version(cls):
        out = subprocess.run([cls.program, "-v"], capture_output=True, text=True, check=True).stdout
        return out.split()[-1]


class RabbitMQ(Server):
    """Runs with an epmd of its own, so that it leaves none behind and disturbs no other node."""

    name = "RabbitMQ"
    program = "/usr/lib/rabbitmq/bin/rabbitmq-server"

    def __init__(self, directory):
        super().__init__(directory)
        self.epmd_port, self.dist_port = free_port(), free_port()
        self.epmd = None

    def environment(self):
        home = self.directory
        return dict(os.environ, HOME=home, ERL_EPMD_PORT=str(self.epmd_port),
                    RABBITMQ_NODENAME=f"bench{self.port}@localhost",
                    RABBITMQ_NODE_IP_ADDRESS="127.0.0.1", RABBITMQ_NODE_PORT=str(self.port),
                    RABBITMQ_DIST_PORT=str(self.dist_port), RABBITMQ_MNESIA_BASE=home + "/mnesia",
                    RABBITMQ_LOG_BASE=home + "/log", RABBITMQ_LOGS="-",
                    RABBITMQ_PID_FILE=home + "/pid", RABBITMQ_ENABLED_PLUGINS_FILE=home + "/plugins",
                    RABBITMQ_CONFIG_FILE=home + "/none", RABBITMQ_CONF_ENV_FILE=home + "/none",
                    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-start_epmd false")

    def command(self):
        return [self.program]

    def start(self, wait=True):
        self.epmd = subprocess.Popen(["epmd", "-address", "127.0.0.1", "-port",
                                      str(self.epmd_port)], stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return super().start(wait)

    def ready(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5):
                return True
        except OSError:
            return False

    def stop(self, how=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            # The program is a script around the virtual machine: both are in a group of their own.
            os.killpg(self.process.pid, how)
        super().stop(how)
        if self.epmd is not None:
            self.epmd.terminate()
            self.epmd.wait()
            self.epmd = None

    @classmethod
    def version(cls):
        out = subprocess.run(["/usr/bin/dpkg-query", "--show", "--showformat=${Version}",
                              "rabbitmq-server"], capture_output=True, text=True,
                             check=False).stdout
        return out or "of unknown version"


PEERS = {"redis": Redis, "beanstalkd": Beanstalkd, "rabbitmq": RabbitMQ}


def available(kind):
    return shutil.which(PEERS[kind].program) is not None


@contextlib.contextmanager
def running(server):
    """Starts it, and ends it and removes what it kept, whatever happens."""
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.directory, ignore_errors=True)
