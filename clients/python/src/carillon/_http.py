"""Requests over http.client, on connections that are kept for the next one."""

from __future__ import annotations

import http.client
import os
import selectors
import socket
import ssl
from collections import deque
from typing import Any, Deque, Dict, Iterator, Optional, Tuple
from urllib.parse import SplitResult, unquote

from ._transport import Request, Response
from .errors import NoAnswerError

PIECE_BYTES = 65536


class Connections:
    """Threads may share one: each request has a connection of its own. Nor does a process that was forked use
    those of its parent.
    """

    def __init__(self, timeout: float, context: Optional[ssl.SSLContext]) -> None:
        self._timeout = timeout
        self._context = context
        self._idle: Dict[Tuple[SplitResult, int], Deque[http.client.HTTPConnection]] = {}

    def exchange(self, request: Request) -> Response:
        connection = self._take(request.url)
        sent = False
        try:
            if connection.sock is None:
                connection.connect()
            sent = True
            connection.request(request.method, request.path, request.body, dict(request.headers))
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            if request.streamed and answer.status < 300:
                return Response(answer.status, headers, pieces=self._pieces(connection, answer))
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            why = str(error) or type(error).__name__
            raise NoAnswerError(f"no answer from {request.url.geturl()}: {why}", outcome_unknown=sent) from error
        except BaseException:
            connection.close()
            raise
        if answer.will_close:
            connection.close()
        else:
            self._idle.setdefault((request.url, os.getpid()), deque()).append(connection)
        return Response(answer.status, headers, body)

    def close(self) -> None:
        for idle in self._idle.values():
            while idle:
                idle.pop().close()

    def _take(self, url: SplitResult) -> http.client.HTTPConnection:
        idle = self._idle.get((url, os.getpid()), ())
        while idle:
            try:
                connection = idle.pop()  # type: ignore[union-attr]
            except IndexError:
                break  # another thread was faster
            if is_quiet(connection.sock):
                return connection
            connection.close()
        if url.scheme == "unix":
            return UnixConnection(unquote(url.path), self._timeout)
        if url.scheme == "https":
            context = self._context or ssl.create_default_context()
            return http.client.HTTPSConnection(url.hostname or "", url.port, timeout=self._timeout, context=context)
        return http.client.HTTPConnection(url.hostname or "", url.port, timeout=self._timeout)

    @staticmethod
    def _pieces(connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> Iterator[bytes]:
        try:
            while True:
                piece = answer.read1(PIECE_BYTES)
                if not piece and answer.length:  # http.client overlooks this in read1
                    raise http.client.IncompleteRead(b"", answer.length)
                if not piece:
                    return
                yield piece
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswerError(f"the answer broke off: {error}") from error
        finally:
            connection.close()


def is_quiet(sock: Any) -> bool:
    """Whether an idle connection is still open: one that the server has closed can be read from."""
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return not selector.select(0)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
