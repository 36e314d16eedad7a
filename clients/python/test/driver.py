"""Makes the calls of clients/contract/run.py with the Python clients: a JSON line for each in, and out.

usage: driver.py [--asyncio]
"""

import asyncio
import dataclasses
import inspect
import json
import re
import sys
from datetime import datetime, timedelta

import carillon

KINDS = [
    (carillon.NotFoundError, "not_found"),
    (carillon.ConflictError, "conflict"),
    (carillon.ProblemError, "problem"),
    (carillon.NoAnswerError, "no_answer"),
    (carillon.SignatureError, "signature"),
]
clients = {}


def snake(name):
    return re.sub(r"([A-Z])", r"_\1", name).lower().replace("iterate_", "iter_")


def client_of(settings, kind):
    key = json.dumps(settings, sort_keys=True)
    if key not in clients:
        batch = settings.pop("batch", {})
        settings.update({f"batch_{name}": value for name, value in batch.items()})
        clients[key] = kind(settings.pop("url"), **settings)
    return clients[key]


def prepare(step, kind):
    """The answer of a call: a value, an iterator, or what asyncio awaits or iterates."""
    call, path, params = step["call"], step.get("path", []), step.get("params")
    if call == "verify":
        verifier = carillon.WebhookVerifier(params["secrets"], tolerance=params["tolerance"])
        return verifier.verify(params["body"], params["headers"])
    method = getattr(client_of(step["client"], kind), snake(call))
    if isinstance(params, list):
        return method(params)
    if call == "cancelTasks":
        return method(params.pop("ids"), **params)
    return method(*path, **{name + "_" * (name == "from"): value for name, value in (params or {}).items()})


def plain(value):
    if dataclasses.is_dataclass(value):
        fields = {one.name.rstrip("_"): getattr(value, one.name) for one in dataclasses.fields(value)}
        return {name: plain(member) for name, member in fields.items() if member is not None}
    if isinstance(value, datetime):
        assert value.tzinfo is not None
        return value.isoformat()
    if isinstance(value, timedelta):
        return value / timedelta(milliseconds=1)
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, list) or hasattr(value, "__next__"):
        return [plain(item) for item in value]
    return value


def describe(error):
    kind = next((name for type, name in KINDS if isinstance(error, type)), "other")
    names = ("type", "slug", "status", "field", "retry_after", "outcome_unknown")
    return {"kind": kind, **{name: getattr(error, name, None) for name in names},
            "results": plain(getattr(error, "results", [])), "message": f"{type(error).__name__}: {error}"}


async def settle(answer):
    if inspect.isawaitable(answer):
        return await answer
    if hasattr(answer, "__anext__"):
        return [item async for item in answer]
    return answer


def main():
    loop = asyncio.new_event_loop() if "--asyncio" in sys.argv else None
    kind = carillon.AsyncClient if loop else carillon.Client
    for line in sys.stdin:
        try:
            answer = prepare(json.loads(line), kind)
            answer = {"result": plain(loop.run_until_complete(settle(answer)) if loop else answer)}
        except Exception as error:
            answer = {"error": describe(error)}
        print(json.dumps(answer), flush=True)


main()
