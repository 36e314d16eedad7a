"""The clients: what the two kinds of calls run on."""

from __future__ import annotations

import asyncio
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, AsyncIterator, Callable, Iterable, Iterator, List, Literal, Mapping, Optional, Sequence, Union

from . import _operations as operations
from ._calls import AsyncCalls, Calls
from ._http import Connections
from ._transport import Core, Lines, Request, Steps, whole
from ._values import some
from .errors import CarillonError
from .models import BatchCancelled, BatchCreated, BatchItem, NewTask

#: A task, its members, or a line of export_tasks, which is passed on byte for byte.
TaskOrLine = Union[NewTask, Mapping[str, Any], str]


class _Settings:
    def __init__(
        self,
        url: Union[str, Sequence[str]] = "http://127.0.0.1:8080",
        *,
        token: Optional[str] = None,
        timeout: float = 30.0,
        retries: int = 6,
        retry_after_max: float = 30.0,
        batch_tasks: int = 10_000,
        batch_bytes: int = 16 * 1024 * 1024,
        ssl_context: Optional[ssl.SSLContext] = None,
    ) -> None:
        """
        :param url: `http://`, `https://` or `unix:/path`; of several, those of the nodes of a cluster, one is
            kept to until it fails.
        :param token: sent as `Authorization: Bearer`, where the server has tokens.
        :param timeout: seconds without an answer after which an attempt is given up.
        :param retries: how often a call is sent again, where that is safe.
        :param retry_after_max: where the server asks for a longer wait, in seconds, the error is yours at once.
        :param batch_tasks: the largest part of a batch; set it where the server's limit is set. So `batch_bytes`.
        """
        urls = [url] if isinstance(url, str) else list(url)
        for one in urls:
            if not one.startswith(("http://", "https://", "unix:/")):
                raise ValueError(f"{one!r} is no http://, https:// or unix:/ URL")
        self._core = Core(urls, token, retries, retry_after_max, batch_tasks, batch_bytes)
        self._connections = Connections(timeout, ssl_context)


class Client(_Settings, Calls):
    """A client of Carillon. Threads may share it. It opens nothing until a call is made."""

    def close(self) -> None:
        """Closes the connections that are kept."""
        self._connections.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def create_tasks(self, tasks: Iterable[TaskOrLine]) -> BatchCreated:
        """Schedules any number of tasks, in as many requests as the limits of the server need, and answers for
        each in order. A task without an id gets one here. Those that fail are in the results, and nothing is
        raised for them. `POST /v1/tasks:batchCreate`
        """
        return _created(self._run(self._core.create_tasks(operations.CREATE_TASKS, tasks)))

    def cancel_tasks(self, ids: Iterable[str], *, retries: Optional[Literal["cancel"]] = None) -> BatchCancelled:
        """Cancels any number of tasks, likewise. `POST /v1/tasks:batchCancel`"""
        steps = self._core.cancel_tasks(operations.CANCEL_TASKS, ids, some({"retries": retries}))
        return _cancelled(self._run(steps))

    def export_tasks(self) -> Iterator[str]:
        """Every pending task, a line of JSON each; create_tasks takes the lines back. They are read from the
        server as you take them. `GET /v1/export`
        """
        response, _ = self._run(self._core.send(operations.EXPORT_TASKS, streamed=True))
        lines = Lines()
        for piece in response.pieces:
            yield from lines.take(piece)

    def _run(self, steps: Steps) -> Any:
        result = error = None
        while True:
            try:
                effect = steps.throw(error) if error else steps.send(result)
            except StopIteration as end:
                return end.value
            result = error = None
            try:
                result = self._connections.exchange(effect) if isinstance(effect, Request) else time.sleep(effect)
            except CarillonError as failure:
                error = failure

    def _items(self, read_page: Callable[..., Any], member: str) -> Iterator[Any]:
        page = whole(read_page())
        yield from getattr(page, member)
        while page.next_cursor is not None:
            page = whole(read_page(cursor=page.next_cursor))
            yield from getattr(page, member)


class AsyncClient(_Settings, AsyncCalls):
    """The same with asyncio. Requests are made by threads of its own, for which the event loop never waits."""

    def __init__(
        self, url: Union[str, Sequence[str]] = "http://127.0.0.1:8080", *, connections: int = 32, **settings: Any
    ) -> None:
        """
        :param connections: how many requests may be under way at once; more wait their turn.
        :param settings: as Client has them.
        """
        super().__init__(url, **settings)
        self._threads = ThreadPoolExecutor(connections, "carillon")

    async def close(self) -> None:
        """Closes the connections that are kept."""
        self._threads.shutdown(wait=False)
        self._connections.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def create_tasks(self, tasks: Iterable[TaskOrLine]) -> BatchCreated:
        """As Client.create_tasks."""
        return _created(await self._run(self._core.create_tasks(operations.CREATE_TASKS, tasks)))

    async def cancel_tasks(
        self, ids: Iterable[str], *, retries: Optional[Literal["cancel"]] = None
    ) -> BatchCancelled:
        """As Client.cancel_tasks."""
        steps = self._core.cancel_tasks(operations.CANCEL_TASKS, ids, some({"retries": retries}))
        return _cancelled(await self._run(steps))

    async def export_tasks(self) -> AsyncIterator[str]:
        """As Client.export_tasks."""
        response, _ = await self._run(self._core.send(operations.EXPORT_TASKS, streamed=True))
        lines = Lines()
        while True:
            piece = await self._in_thread(next, response.pieces, None)
            if piece is None:
                return
            for line in lines.take(piece):
                yield line

    async def _run(self, steps: Steps) -> Any:
        result = error = None
        while True:
            try:
                effect = steps.throw(error) if error else steps.send(result)
            except StopIteration as end:
                return end.value
            result = error = None
            try:
                result = await self._perform(effect)
            except CarillonError as failure:
                error = failure

    async def _perform(self, effect: Union[Request, float]) -> Any:
        if isinstance(effect, Request):
            return await self._in_thread(self._connections.exchange, effect)
        await asyncio.sleep(effect)

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    async def _items(self, read_page: Callable[..., Any], member: str) -> AsyncIterator[Any]:
        page = whole(await read_page())
        while True:
            for item in getattr(page, member):
                yield item
            if page.next_cursor is None:
                return
            page = whole(await read_page(cursor=page.next_cursor))


def _created(results: List[BatchItem]) -> BatchCreated:
    return BatchCreated(results=results, created=sum(item.status == 201 for item in results), failed=_failed(results))


def _cancelled(results: List[BatchItem]) -> BatchCancelled:
    failed = _failed(results)
    return BatchCancelled(results=results, cancelled=len(results) - failed, failed=failed)


def _failed(results: List[BatchItem]) -> int:
    return sum(item.status >= 400 for item in results)
