"""For the tests of programs that use Carillon."""

from __future__ import annotations

import asyncio
import atexit
import os
import re
import shutil
import subprocess
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Optional, Sequence

from ._values import Duration
from .client import AsyncClient, Client
from .models import Stats

#: Seconds; longer than a push may take by default.
PATIENCE = 30.0


class TestServer:
    """A real server for your tests, with nothing in it, on a free port. Its clock stands still until you move
    it: a month takes as long as the pushes that fall due in it.

        with TestServer() as server:
            server.client.create_task(target=..., delay="30d")
            server.advance("30d")
    """

    __test__ = False  # it is no test, whatever pytest thinks of its name

    def __init__(self, binary: Optional[str] = None, args: Sequence[str] = ()) -> None:
        """
        :param binary: the program; if not given `CARILLOND` of the environment, else `carillond` of the PATH.
        :param args: more arguments, such as `["--config", "carillon.toml"]`.
        """
        self._dir = Path(tempfile.mkdtemp(prefix="carillon-client-"))
        program = binary or os.environ.get("CARILLOND") or "carillond"
        data = ["--clock", "manual", "--listen", "127.0.0.1:0", "--data-dir", str(self._dir / "data")]
        try:
            with open(self._dir / "log", "wb") as log:
                self._process = subprocess.Popen(
                    [program, *data, *args], stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
        except OSError:
            shutil.rmtree(self._dir)
            raise
        atexit.register(self._process.kill)
        self.url = self._await_start(program)
        self.client = Client(self.url)

    def _await_start(self, program: str) -> str:
        end = time.monotonic() + PATIENCE
        while True:
            ended = self._process.poll() is not None or time.monotonic() > end
            log = (self._dir / "log").read_text(errors="replace")
            found = re.search(r"listening on (http\S+)", log)
            if found and "ready took" in log:
                return found[1]
            if ended:
                self._end()
                raise RuntimeError(f"{program} did not start:\n{log}")
            time.sleep(0.005)

    def advance(self, by: Duration) -> datetime:
        """Moves the clock, and returns once every push that fell due has been answered by its receiver. What
        failed waits for its next attempt until the clock is moved again. Answers the server's time.
        """
        now = self.client.advance_clock(by=by).now
        quiet = _Quiet()
        while not quiet.reached(self.client.get_stats()):
            time.sleep(0.005)
        return now

    async def advance_async(self, by: Duration) -> datetime:
        """The same, for tests whose receiver runs in the same event loop."""
        async with AsyncClient(self.url) as client:
            now = (await client.advance_clock(by=by)).now
            quiet = _Quiet()
            while not quiet.reached(await client.get_stats()):
                await asyncio.sleep(0.005)
        return now

    def now(self) -> datetime:
        """The server's time, which is not this machine's."""
        return self.client.get_stats().now

    def stop(self) -> None:
        """Ends the server and removes its data."""
        self.client.close()
        self._end()

    def _end(self) -> None:
        atexit.unregister(self._process.kill)
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self._dir, ignore_errors=True)

    def __enter__(self) -> TestServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Quiet:
    """Whether nothing is being pushed any more. What a paused target holds back stays in the backlog."""

    def __init__(self) -> None:
        self._end = time.monotonic() + PATIENCE
        self._backlog = -1

    def reached(self, stats: Stats) -> bool:
        if stats.counts.firing == 0 and stats.backlog in (0, self._backlog):
            return True
        if time.monotonic() > self._end:
            raise TimeoutError(f"{stats.counts.firing} pushes have had no answer for {PATIENCE} s")
        self._backlog = stats.backlog
        return False
