"""A NATS server with JetStream, and enough of its protocol to make a stream and to read it."""

import base64
import functools
import json
import os
import re
import socket
import subprocess

from bench import servers

FINDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tools",
                      "nats-server.sh")


@functools.cache
def find():
    """The path of the program, where tests have it from too, or None."""
    try:
        done = subprocess.run([FINDER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def version(program):
    out = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"\bv(\d\S+)", out)[1]


class Nats(servers.Server):
    name = "NATS"

    def __init__(self, directory, program, sync_interval):
        super().__init__(directory)
        self.program, self.sync_interval = program, sync_interval

    def command(self):
        configuration = os.path.join(self.directory, "nats.conf")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(f'listen: "{self.address}"\njetstream {{ store_dir: "{self.directory}/store", '
                       f"sync_interval: {self.sync_interval} }}\n")
        return [self.program, "-c", configuration]

    def ready(self):
        try:
            Client(self).close()
            return True
        except OSError:
            return False


class Client:
    """One that asks JetStream's API, and waits for each answer."""

    def __init__(self, server):
        self.wire = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        self.stream = self.wire.makefile("rb")
        if not self.stream.readline().startswith(b"INFO"):
            raise OSError("NATS does not greet")
        self.wire.sendall(b'CONNECT {"verbose":false}\r\nSUB answers 1\r\n')

    def close(self):
        self.stream.close()
        self.wire.close()

    def ask(self, what, body=None):
        text = json.dumps(body or {}).encode()
        self.wire.sendall(b"PUB $JS.API.%s answers %d\r\n%s\r\n" % (what.encode(), len(text), text))
        while True:
            words = self.stream.readline().split()
            if not words or words[0] == b"-ERR":
                raise OSError(f"NATS ended the connection: {b' '.join(words).decode()}")
            if words[0] == b"PING":
                self.wire.sendall(b"PONG\r\n")
            elif words[0] == b"MSG":
                answer = json.loads(self.stream.read(int(words[-1]) + 2))
                if "error" in answer:
                    raise RuntimeError(f"NATS, {what}: {answer['error']}")
                return answer

    def make_stream(self, name, subject):
        self.ask(f"STREAM.CREATE.{name}", {"name": name, "subjects": [subject], "storage": "file"})

    def heads(self, name):
        """The headers of all messages of a stream, the oldest first."""
        state = self.ask(f"STREAM.INFO.{name}")["state"]
        if state["messages"] == 0:
            return []
        messages = [self.ask(f"STREAM.MSG.GET.{name}", {"seq": place})["message"]
                    for place in range(state["first_seq"], state["last_seq"] + 1)]
        return [base64.b64decode(message["hdrs"]).decode() for message in messages]
