#!/usr/bin/env python3
"""Runs the contract, clients/contract/cases.json, with all clients and with curl, against the real server.

    run.py BIN_DIRECTORY BUILD_DIRECTORY [--only CLIENT] [--case PART_OF_A_NAME]

BUILD_DIRECTORY is where clients/build.sh has built.

Each client has a server, a proxy for faults and a driver program of its own, which makes the calls that it is
told on its standard input. A case is a list of steps:

    call, path, params   an operation of the API by its operationId, what its path is made of, query or body
    expect               members that the answer has; "$name" stands for what a step before saved
    error                the same of the error; a step without it must succeed
    save                 name -> path into the answer
    eventually           made again until it comes out so
    faults, sends        what the proxy does to the next requests; how many requests the call took
    client               settings of the client
    wait_push, pushes    instead of a call: waits for the push of a task; counts pushes, of a task or to a path

A case with "clients_only" is about what clients do beyond the API, so that there is nothing for curl.
"""

import argparse
import base64
import concurrent.futures
import datetime
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path

from servers import PATIENCE, Carillond, ClosedPort, Proxy, Receiver, until

HERE = Path(__file__).resolve().parent
CLIENTS = HERE.parent
TOKENS = {"reader": "read", "writer": "write"}
TOKEN_CONFIG = "".join(
    f'[[tokens]]\nname = "{name}"\nrole = "{role}"\nsha256 = "{hashlib.sha256(name.encode() * 4).hexdigest()}"\n'
    for name, role in TOKENS.items()
)


class Driver:
    """A client's driver program."""

    def __init__(self, command, environment=()):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "encoding": "utf-8"}
        self.process = subprocess.Popen(command, **pipes, env={**os.environ, **dict(environment)})

    def perform(self, step):
        ender = threading.Timer(2 * PATIENCE, self.process.kill)  # of one that never answers
        ender.start()
        self.process.stdin.write(json.dumps(step) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        ender.cancel()
        if not line:
            raise RuntimeError(f"the driver ended with {self.process.wait()}")
        return json.loads(line)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE)


class Curl:
    """Makes the calls as the OpenAPI document says, without a client."""

    def __init__(self, document):
        self.operations = {}
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                query = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"}
                self.operations[operation["operationId"]] = (method.upper(), path, query)

    def perform(self, step):
        method, path, query_names = self.operations[step["call"]]
        names = iter(step.get("path", ()))
        url = step["client"]["url"] + re.sub(r"{\w+}", lambda _: urllib.parse.quote(next(names), safe=""), path)
        params = step.get("params")
        given = params.items() if isinstance(params, dict) else ()
        query = {name: value for name, value in given if name in query_names}
        if query:
            texts = {name: "true" if value is True else value for name, value in query.items()}
            url += "?" + urllib.parse.urlencode(texts)
        command = ["curl", "--silent", "--show-error", "--globoff", "--request", method, url]
        command += ["--write-out", "\n%{content_type}\n%{http_code}"]
        if "token" in step["client"]:
            command += ["--header", f"authorization: Bearer {step['client']['token']}"]
        body = None
        if isinstance(params, list):
            body = "\n".join(one if isinstance(one, str) else compact(one) for one in params)
            command += ["--header", "content-type: application/x-ndjson", "--data-binary", "@-"]
        elif params is not None and not query_names:
            body = compact(params)
            command += ["--header", "content-type: application/json", "--data-binary", "@-"]
        done = subprocess.run(command, input=body, capture_output=True, encoding="utf-8", check=False)
        if done.returncode != 0:
            return {"error": {"kind": "no_answer", "message": done.stderr}}
        text, content_type, status = done.stdout.rsplit("\n", 2)
        answer = json.loads(text) if "json" in content_type and "ndjson" not in content_type else text
        if int(status) < 300:
            return {"result": answer.splitlines() if "ndjson" in content_type else answer}
        kind = {"404": "not_found", "409": "conflict"}.get(status, "problem")
        return {"error": {**answer, "kind": kind, "slug": answer["type"].rsplit("/", 1)[1]}}

    def stop(self):
        pass


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def moment(text):
    text = re.sub(r"\.(\d{1,6})\d*", lambda found: "." + found[1].ljust(6, "0"), text.replace("Z", "+00:00"))
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        return None


def milliseconds(value):
    if isinstance(value, (int, float)):
        return value
    units = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
    parts = re.findall(r"([0-9.]+)(d|h|ms|m|s)", value)
    if "".join(number + unit for number, unit in parts) != value:
        return None
    return sum(float(number) * units[unit] for number, unit in parts)


def same(wanted, seen):
    """Whether two values mean the same: moments and durations have several forms."""
    if wanted == seen:
        return True
    if not isinstance(wanted, str) or isinstance(seen, (bool, dict, list)) or seen is None:
        return False
    if isinstance(seen, str) and moment(wanted) is not None:
        return moment(wanted) == moment(seen)
    return milliseconds(wanted) is not None and milliseconds(wanted) == milliseconds(seen)


def differences(wanted, seen, where):
    if isinstance(wanted, dict) and set(wanted) == {"$matches"}:
        if not (isinstance(seen, str) and re.search(wanted["$matches"], seen)):
            yield f"{where}: wanted /{wanted['$matches']}/, got {seen!r}"
    elif isinstance(wanted, dict) and set(wanted) == {"$includes"}:
        if not any(not list(differences(wanted["$includes"], one, where)) for one in seen):
            yield f"{where}: {wanted['$includes']!r} is not in {seen!r}"
    elif isinstance(wanted, dict) and isinstance(seen, dict):
        for name, value in wanted.items():
            if value == "$absent":
                if seen.get(name) is not None:
                    yield f"{where}.{name}: wanted none, got {seen[name]!r}"
            elif value == "$any":
                if seen.get(name) is None:
                    yield f"{where}.{name}: there is none"
            else:
                yield from differences(value, seen.get(name), f"{where}.{name}")
    elif isinstance(wanted, list) and isinstance(seen, list):
        if len(wanted) != len(seen):
            yield f"{where}: wanted {len(wanted)}, got {len(seen)}: {seen!r}"
        for at, (one, other) in enumerate(zip(wanted, seen)):
            yield from differences(one, other, f"{where}[{at}]")
    elif not same(wanted, seen):
        yield f"{where}: wanted {wanted!r}, got {seen!r}"


def dig(value, path):
    for part in path.split(".") if path else ():
        value = value[int(part)] if part.isdigit() else value[part]
    return value


def signed(params):
    """Headers and body of a push as a server would sign it, then changed as the case says."""
    sign = params.pop("sign")
    body = sign.get("body", '{"hello":"w\u00f6rld"}')
    stamp = str(int(time.time()) - sign.get("age", 0))
    keys = [base64.b64decode(secret.split("_", 1)[1]) for secret in sign["with"]]
    text = f"msg_1.{stamp}.{body}".encode()
    signatures = [b"v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()) for key in keys]
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": stamp,
        "webhook-signature": b" ".join(signatures).decode(),
        **params.pop("headers", {}),
    }
    given = {name: value for name, value in headers.items() if value is not None}
    return {"tolerance": 300, "body": body, **params, "headers": given}


class Run:
    """All cases with one client."""

    def __init__(self, name, driver, binary, token_server):
        self.name = name
        self.driver = driver
        self.server = Carillond(binary)
        self.receiver = Receiver()
        self.proxy = Proxy(self.server, self.receiver)
        self.closed = ClosedPort()
        self.fixed = {
            "proxy": self.proxy.url,
            "server": self.server.url,
            "receiver": self.receiver.url,
            "tokens": token_server.url,
            "closed": self.closed.url,
            "dir": str(self.server.dir),
            **{name: name * 4 for name in TOKENS},
        }
        self.called = set()

    def stop(self):
        for part in (self.driver, self.closed, self.proxy, self.receiver, self.server):
            part.stop()

    def case(self, case):
        self.saved = dict(self.fixed)
        for number, step in enumerate(case["steps"], 1):
            try:
                found = self.step(self.filled(step))
            except Exception as error:
                found = [f"{type(error).__name__}: {error}"]
            if found:
                where = f"{self.name}: {case['name']}: step {number}, {step.get('call', 'push')}"
                return [f"{where}: {one[:400]}" for one in found]
        return []

    def filled(self, value):
        if isinstance(value, dict):
            return {name: self.filled(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if isinstance(value, str):
            whole = re.fullmatch(r"\$(\w+)", value)
            if whole and whole[1] in self.saved:
                return self.saved[whole[1]]
            return re.sub(r"\${(\w+)}", lambda found: str(self.saved[found[1]]), value)
        return value

    def step(self, step):
        if "wait_push" in step:
            _, headers, body = until("a push", lambda: self.receiver.pushes_of(step["wait_push"]))[-1]
            self.saved.update({step["save"]: {"headers": headers, "body": body}} if "save" in step else {})
            return list(differences(step.get("expect", {}), {"headers": headers, "body": body}, "push"))
        if "pushes" in step:
            count = len(self.receiver.pushes_of(step["pushes"]["of"]))
            return [] if count == step["pushes"]["count"] else [f"{count} pushes"]
        if not step.get("eventually"):
            return self.make(step)
        end = time.monotonic() + PATIENCE
        while True:
            found = self.make(step)
            if not found or time.monotonic() > end:
                return found
            time.sleep(0.01)

    def make(self, step):
        self.called.add(step["call"])
        self.proxy.faults = list(step.get("faults", ()))
        self.proxy.sends = 0
        request = {"client": {"url": self.proxy.url, **step.get("client", {})}, "call": step["call"]}
        request.update({name: step[name] for name in ("path", "params") if name in step})
        if step["call"] == "verify":
            params = request["params"]
            genuine = {"tolerance": 300, **params.pop("push", {}), **params}
            request["params"] = signed(params) if "sign" in params else genuine
        begin = time.monotonic()
        answer = self.driver.perform(request)
        took = time.monotonic() - begin
        found = []
        if ("error" in step) != ("error" in answer):
            return [f"got {json.dumps(answer)[:600]}"]
        if "error" in step:
            found += differences(step["error"], answer["error"], "error")
        if "expect" in step:
            found += differences(step["expect"], answer.get("result"), "answer")
        if "sends" in step and self.proxy.sends != step["sends"]:
            found.append(f"{self.proxy.sends} requests, not {step['sends']}")
        if took < step.get("takes_at_least", 0) or took > step.get("takes_at_most", PATIENCE):
            found.append(f"it took {took:.2f} s")
        for name, path in step.get("save", {}).items():
            self.saved[name] = dig(answer["result"], path)
        return found


def drivers(given, document):
    jar = str(given.build / "java/carillon-client.jar")
    java = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", jar]
    java += [str(CLIENTS / "java/test/Driver.java")]
    node = ["node", str(CLIENTS / "typescript/test/driver.mjs"), str(given.build / "typescript")]
    python = [sys.executable, str(CLIENTS / "python/test/driver.py")]
    path = [("PYTHONPATH", str(CLIENTS / "python/src")), ("PYTHONDONTWRITEBYTECODE", "1")]
    return {
        "typescript": lambda: Driver(node),
        "python": lambda: Driver(python, path),
        "python-asyncio": lambda: Driver([*python, "--asyncio"], path),
        "java": lambda: Driver(java),
        "curl": lambda: Curl(document),
    }


def run_all(name, make_driver, cases, binary, token_server):
    run = Run(name, make_driver(), binary, token_server)
    begin = time.monotonic()
    try:
        chosen = [case for case in cases if not (name == "curl" and case.get("clients_only"))]
        found = [line for case in chosen for line in run.case(case)]
    finally:
        run.stop()
    print(f"{name}: {len(chosen)} cases, {len(found)} differences, {time.monotonic() - begin:.1f} s", flush=True)
    return found, run.called


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin", type=Path)
    parser.add_argument("build", type=Path)
    parser.add_argument("--only")
    parser.add_argument("--case", default="")
    given = parser.parse_args()
    document = json.loads((CLIENTS.parent / "api/openapi.json").read_text(encoding="utf-8"))
    cases = json.loads((HERE / "cases.json").read_text(encoding="utf-8"))
    cases = [case for case in cases if given.case in case["name"]]
    binary = str(given.bin / "carillond")
    token_server = Carillond(binary, TOKEN_CONFIG)
    chosen = {name: make for name, make in drivers(given, document).items() if given.only in (None, name)}
    try:
        with concurrent.futures.ThreadPoolExecutor(len(chosen)) as pool:
            runs = list(pool.map(lambda one: run_all(*one, cases, binary, token_server), chosen.items()))
    finally:
        token_server.stop()
    found = [line for lines, _ in runs for line in lines]
    if not given.case:
        operations = {o["operationId"] for methods in document["paths"].values() for o in methods.values()}
        called = set.union(*(called for _, called in runs))
        found += [f"no case calls {name}" for name in sorted(operations - called)]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
