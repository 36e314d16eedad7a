"""What a call is made of, apart from how bytes are sent: it is the same with threads and with asyncio.

A call is a generator. It yields a Request, for which it is sent the Response, or seconds, for which it wants
to wait. What runs it decides how.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Generator, Iterable, Iterator, List, Mapping, Optional, Sequence, Union
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from ._values import UNSET, Model, encode, new_id, to_text
from .errors import CarillonError, NoAnswerError, ProblemError, problem_error, slug_of
from .models import BatchItem

BACKOFF_MIN = 0.1
BACKOFF_MAX = 5.0
#: The kinds of 503 that say that nothing was done.
NOTHING_DONE = {"moved", "log_away", "shard_silent", "not_ready", "overloaded", "too_many_connections"}


@dataclass(frozen=True)
class Operation:
    """What is to be known of an operation of the API."""

    name: str
    method: str
    path: str
    #: Sent again although it may have been done, it does no more than once.
    repeatable: bool
    #: The member by which the server knows a repeated call: "id" or "operation".
    names: Optional[str]


@dataclass(frozen=True)
class Request:
    url: SplitResult
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Optional[bytes] = None
    #: The body of the answer is wanted piece by piece.
    streamed: bool = False


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    pieces: Any = None


Steps = Generator[Union[Request, float], Any, Any]


class Core:
    """The calls, as generators."""

    def __init__(
        self,
        urls: Sequence[str],
        token: Optional[str],
        retries: int,
        retry_after_max: float,
        batch_tasks: int,
        batch_bytes: int,
    ) -> None:
        # A path of a socket stands where other URLs have that of the API; urlsplit knows no unix:/path.
        self._urls = [urlsplit(re.sub("^unix:/*", "unix://localhost/", url).rstrip("/")) for url in urls]
        self._at = 0  # of the URLs: the one that answered last
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._retries, self._retry_after_max = retries, retry_after_max
        self._batch_tasks, self._batch_bytes = batch_tasks, batch_bytes

    def call(
        self, operation: Operation, path: Sequence[str] = (), query: Any = None, body: Any = None, read: Any = None
    ) -> Steps:
        given = None if body is None else {name: value for name, value in body.items() if value is not UNSET}
        response, _ = yield from self.send(operation, path, query, given)
        data = read_body(response)
        return read(data) if read and data is not None else data

    def send(
        self,
        operation: Operation,
        path: Sequence[str] = (),
        query: Optional[Mapping[str, Any]] = None,
        body: Optional[Mapping[str, Any]] = None,
        lines: Optional[bytes] = None,
        streamed: bool = False,
    ) -> Steps:
        """Sends a request, and sends it again where that is safe. Answers the response, and whether an earlier
        attempt may have been done."""
        headers = dict(self._headers)
        if operation.names:
            body = with_name(operation.names, body or {})
        content = lines if body is None else to_text(body).encode()
        if content is not None:
            headers["content-type"] = "application/json" if lines is None else "application/x-ndjson"
        perhaps = False
        attempt = 0
        while True:
            at = self._at
            url = self._urls[at]
            where = (url.path if url.scheme != "unix" else "") + path_of(operation, path, query)
            try:
                response = yield Request(url, operation.method, where, headers, content, streamed)
                if response.status < 300:
                    return response, perhaps
                raise problem_of(response)
            except (ProblemError, NoAnswerError) as error:
                if not isinstance(error, ProblemError) or error.status >= 500:
                    if self._at == at:
                        self._at = (at + 1) % len(self._urls)
                if perhaps and isinstance(error, ProblemError):
                    before = done_before(operation, path, error)
                    if before:
                        return before, True
                pause = self._pause_after(error, operation, attempt)
                perhaps = perhaps or error.outcome_unknown
                error.outcome_unknown = perhaps
                if pause is None:
                    raise
            yield pause
            attempt += 1

    def _pause_after(self, error: CarillonError, operation: Operation, attempt: int) -> Optional[float]:
        """How long to wait before the next attempt; None where there is none."""
        problem = error if isinstance(error, ProblemError) else None
        if error.outcome_unknown:
            again = operation.repeatable
        else:
            again = problem is None or is_not_done(problem.status, problem.slug)
        wanted = (problem.retry_after if problem else None) or 0.0
        if not again or attempt >= self._retries or wanted > self._retry_after_max:
            return None
        return max(backoff(attempt), wanted)

    def create_tasks(self, operation: Operation, tasks: Iterable[Any]) -> Steps:
        def line(task: Any) -> bytes:
            if isinstance(task, str):
                return task.rstrip().encode()
            members = task.to_json() if isinstance(task, Model) else task
            return to_text(with_name("id", members)).encode()

        return self._in_parts(tasks, line, lambda part: self.send(operation, lines=b"\n".join(part)))

    def cancel_tasks(self, operation: Operation, ids: Iterable[str], rest: Mapping[str, Any]) -> Steps:
        def send(part: List[bytes]) -> Steps:
            return self.send(operation, body={**rest, "ids": [json.loads(one) for one in part]})

        return self._in_parts(ids, lambda one: to_text(one).encode(), send)

    def _in_parts(
        self, items: Iterable[Any], line: Callable[[Any], bytes], send: Callable[[List[bytes]], Steps]
    ) -> Steps:
        """Sends items in parts; what is 503 in an answer is sent again. Answers a result for each, in order."""
        results: List[BatchItem] = []
        try:
            for part in self._parts(line(item) for item in items):
                first = len(results)
                results += [None] * len(part)  # type: ignore[list-item]
                pending = list(range(len(part)))
                attempt = 0
                while pending:
                    if attempt:
                        yield backoff(attempt - 1)
                    response, perhaps = yield from send([part[at] for at in pending])
                    for at, item in zip(pending, read_body(response)["results"]):
                        results[first + at] = settled(BatchItem.from_json(item), perhaps or attempt > 0)
                    pending = [at for at in pending if results[first + at].status == 503 and attempt < self._retries]
                    attempt += 1
        except CarillonError as error:
            error.results = [one for one in results if one is not None]
            raise
        return results

    def _parts(self, lines: Iterable[bytes]) -> Iterator[List[bytes]]:
        part: List[bytes] = []
        size = 0
        for line in lines:
            if part and (len(part) == self._batch_tasks or size + len(line) + 1 > self._batch_bytes - 64):
                yield part
                part, size = [], 0
            part.append(line)
            size += len(line) + 1
        if part:
            yield part


class Lines:
    """Lines out of pieces of bytes."""

    def __init__(self) -> None:
        self._rest = b""

    def take(self, piece: bytes) -> List[str]:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        return [line.decode() for line in lines]


def whole(page: Any) -> Any:
    """A page from which no shard's items are missing."""
    if page.silent_shards:
        raise CarillonError(f"the list is not whole, shards {page.silent_shards} did not answer; begin again")
    return page


def with_name(name: str, members: Mapping[str, Any]) -> Mapping[str, Any]:
    """Members with the name by which the server knows a repeated call; a task whose id is made here can only
    be there by ourselves."""
    if members.get(name) is not None:
        return members
    if name == "operation":
        return {**members, name: new_id()}
    return {**members, "id": new_id(), "if_exists": members.get("if_exists") or "once"}


def path_of(operation: Operation, names: Sequence[str], query: Optional[Mapping[str, Any]]) -> str:
    rest = iter(names)
    path = re.sub(r"{\w+}", lambda _: quote(next(rest), safe=""), operation.path)
    given = {name: value for name, value in (query or {}).items() if value is not None}
    return f"{path}?{urlencode({name: query_text(value) for name, value in given.items()})}" if given else path


def query_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value if isinstance(value, (str, int, float)) else encode(value))


def read_body(response: Response) -> Any:
    if response.headers.get("content-type", "").startswith("application/json"):
        return json.loads(response.body)
    return response.body.decode() or None


def problem_of(response: Response) -> ProblemError:
    text = response.body.decode(errors="replace")
    problem: Dict[str, Any] = {"type": "about:blank", "title": "Refused", "status": response.status}
    if response.headers.get("content-type", "").startswith("application/problem+json"):
        problem.update(json.loads(text))
    else:
        problem["detail"] = text[:200]
    seconds = response.headers.get("retry-after", "")
    unknown = problem["status"] >= 500 and not is_not_done(problem["status"], slug_of(problem["type"]))
    return problem_error(problem, retry_after=float(seconds) if seconds.isdigit() else None, outcome_unknown=unknown)


def is_not_done(status: int, slug: str) -> bool:
    """Whether a problem says that nothing was done, and that another attempt may go better."""
    return status in (408, 429, 507) or (status == 503 and slug in NOTHING_DONE)


def done_before(operation: Operation, path: Sequence[str], error: ProblemError) -> Optional[Response]:
    """What a second attempt was told means that the first one, whose answer was lost, had done it."""
    if operation.name == "cancelTask" and error.slug == "task_finished" and error.problem.get("state") == "cancelled":
        members = {"id": path[0], "state": "cancelled", "attempts": error.problem.get("attempt", 0)}
        return Response(200, {"content-type": "application/json"}, to_text(members).encode())
    if operation.method == "DELETE" and operation.name != "cancelTask" and error.status == 404:
        return Response(204, {})
    return None


def settled(item: BatchItem, again: bool) -> BatchItem:
    """In a batch that was sent again, a task that is cancelled by now was cancelled by it."""
    if not again or slug_of(item.type or "") != "task_finished" or item.state != "cancelled":
        return item
    return BatchItem(status=200, id=item.id, state="cancelled", attempts=item.attempt or 0)


def backoff(attempt: int) -> float:
    """Doubles from attempt to attempt, and is drawn between half and all of that."""
    return min(BACKOFF_MAX, BACKOFF_MIN * 2**attempt) * random.uniform(0.5, 1)
