"""What the contract's cases run against: servers, a receiver, and a proxy that makes faults. All listen on free
ports, and all end with the test."""

import http.client
import json
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PATIENCE = 30.0


def until(what, condition):
    end = time.monotonic() + PATIENCE
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"waited in vain for {what}")
        time.sleep(0.005)


class ClosedPort:
    """A port that refuses connections: it is taken, and nobody listens on it."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def stop(self):
        self.socket.close()


class Carillond:
    """The real server, on a new data directory. Its clock stands still."""

    def __init__(self, binary, config=""):
        self.dir = Path(tempfile.mkdtemp(prefix="carillon-contract-"))
        (self.dir / "config.toml").write_text(config)
        arguments = ["--clock", "manual", "--listen", "127.0.0.1:0", "--data-dir", str(self.dir / "data")]
        with open(self.dir / "log", "wb") as log:
            command = [binary, "--config", str(self.dir / "config.toml"), *arguments]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.url = until("carillond", self._url)
        except BaseException:
            self.stop()
            raise

    def _url(self):
        log = (self.dir / "log").read_text(errors="replace")
        if self.process.poll() is not None:
            raise RuntimeError(f"carillond ended: {log}")
        return "ready took" in log and re.search(r"listening on (http\S+)", log)[1]

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


class Listener:
    """An HTTP server in threads; `answer` gets each request."""

    def __init__(self):
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one segment
            disable_nagle_algorithm = True

            def handle_any(self):
                self.body = self.rfile.read(int(self.headers.get("content-length") or 0))
                owner.answer(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

            def log_message(self, *_):
                pass

            def reply(self, status, headers=(), body=b""):
                self.send_response_only(status)
                for name, value in headers:
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def answer(self, request):
        raise NotImplementedError

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Receiver(Listener):
    """Keeps what is pushed to it. The first part of the path is the status that it answers."""

    def __init__(self):
        self.pushes = []
        super().__init__()

    def answer(self, request):
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.pushes.append((request.path, headers, request.body.decode()))
        request.reply(int(request.path.split("/")[1]))

    def pushes_of(self, what):
        """Those of a task, by its id, or all to a path."""
        return [push for push in self.pushes if what in (push[0], push[1].get("carillon-task-id"))]


class Proxy(Listener):
    """Passes requests on to the server, but for the faults that were set, of which each is for one request."""

    def __init__(self, server, receiver):
        self.host = server.url.split("//")[1]
        self.receiver = receiver
        self.faults = []
        self.sends = 0
        self.released = threading.Event()
        super().__init__()

    def answer(self, request):
        self.sends += 1
        fault = self.faults.pop(0) if self.faults else {"pass": True}
        if "answer" in fault:
            return self.fake(request, fault["answer"])
        if "break" in fault:
            return self.cut(request)
        status, headers, body = self.forward(request)
        if "lose" in fault:
            if "after_push" in fault:
                until("the push", lambda: self.receiver.pushes_of(fault["after_push"]))
            return self.cut(request)
        if "cut_body" in fault:
            return self.cut_body(request, headers, body, fault["cut_body"])
        if "hang" in fault:
            self.released.wait(PATIENCE)
            return self.cut(request)
        if "replace" in fault:
            return self.fake(request, fault["replace"])
        return request.reply(status, headers, body)

    def forward(self, request):
        connection = http.client.HTTPConnection(self.host)
        own = ("host", "connection")
        headers = {name: value for name, value in request.headers.items() if name.lower() not in own}
        connection.request(request.command, request.path, request.body, headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        passed = ("content-type", "retry-after")
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() in passed]
        return answer.status, kept, body

    @staticmethod
    def fake(request, answer):
        status = answer["status"]
        headers = [("retry-after", str(answer["retry_after"]))] if "retry_after" in answer else []
        if "slug" in answer:
            kind = "application/problem+json"
            body = {"type": f"/problems/{answer['slug']}", "title": "A fault", "status": status}
        elif "json" in answer:
            kind, body = "application/json", answer["json"]
        else:
            kind, body = "text/html", None
        text = answer["text"] if body is None else json.dumps(body)
        request.reply(status, [*headers, ("content-type", kind)], text.encode())

    def cut_body(self, request, headers, body, framing):
        """Sends half of an answer."""
        half = body[: len(body) // 2]
        request.send_response_only(200)
        for name, value in headers:
            request.send_header(name, value)
        if framing == "chunked":
            request.send_header("transfer-encoding", "chunked")
            half = b"%x\r\n%s\r\n" % (len(half), half)
        else:
            request.send_header("content-length", str(len(body)))
        request.end_headers()
        request.wfile.write(half)
        request.wfile.flush()
        self.cut(request)

    @staticmethod
    def cut(request):
        request.close_connection = True
        request.connection.shutdown(2)

    def stop(self):
        self.released.set()
        super().stop()
