"""What the Python clients have beyond the contract."""

import ast
import asyncio
import pathlib
import sys
import tempfile
import threading
import time
import unittest
from datetime import datetime, timedelta

import carillon
from carillon._values import read_duration
from carillon.testing import TestServer

NOWHERE = "http://127.0.0.1:9/"


class OwnTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        cls.socket = f"{cls.dir.name}/a socket"
        cls.server = TestServer(args=["--listen", f"unix:{cls.socket}"])

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.dir.cleanup()

    def test_sources_are_python_3_9(self):
        for path in pathlib.Path(carillon.__file__).parent.glob("*.py"):
            ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 9))

    def test_a_unix_socket_is_a_url(self):
        with carillon.Client(f"unix:{self.socket}") as client:
            self.assertEqual(client.get_readiness().status, "ready")
            self.assertEqual(client.create_task(id="by socket", delay="1h", target=NOWHERE).id, "by socket")

    def test_other_urls_are_refused_at_once(self):
        self.assertRaises(ValueError, carillon.Client, "localhost:8080")

    def test_a_moment_without_a_zone_is_refused(self):
        with self.assertRaisesRegex(ValueError, "time zone"):
            self.server.client.create_task(due_at=datetime.now(), target=NOWHERE)

    def test_durations_are_rounded_up_and_read_in_all_forms(self):
        task = self.server.client.create_task(delay="1h", target=NOWHERE, expire_after=timedelta(microseconds=1))
        self.assertEqual(task.expire_after, timedelta(milliseconds=1))
        self.assertEqual(read_duration("1d2h"), timedelta(hours=26))
        self.assertEqual(read_duration("-1m30.5s"), -timedelta(seconds=90.5))

    def test_none_is_a_payload_but_not_a_setting(self):
        task = self.server.client.create_task(id="null", delay="1h", target=NOWHERE, payload=None, group=None)
        self.assertIn('"payload":null', next(line for line in self.server.client.export_tasks() if '"null"' in line))
        self.assertIsNone(task.group)
        self.assertEqual(carillon.NewTask("t", payload=None).to_json(), {"target": "t", "payload": None})
        self.assertEqual(carillon.NewTask("t").to_json(), {"target": "t"})

    def test_threads_share_a_client(self):
        def add():
            for _ in range(50):
                self.server.client.create_task(delay="1h", target=NOWHERE, group="threads")

        threads = [threading.Thread(target=add) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.server.client.get_group("threads").counts.scheduled, 400)

    def test_connections_that_the_server_closed_are_not_used(self):
        with TestServer() as server, carillon.Client(server.url, retries=0) as client:
            client.get_stats()
            (idle,) = client._connections._idle.values()
            idle[0].sock.shutdown(1)
            time.sleep(0.05)
            client.advance_clock(by="1s")

    def test_asyncio_waits_for_no_request(self):
        async def main():
            async with carillon.AsyncClient(self.server.url) as client:
                adds = (client.create_task(delay="1h", target=NOWHERE, group="asyncio") for _ in range(200))
                await asyncio.gather(*adds)
                self.assertEqual((await client.get_group("asyncio")).counts.scheduled, 200)
            async with carillon.AsyncClient("http://127.0.0.1:9", retries=50) as client:
                with self.assertRaises(asyncio.TimeoutError):
                    await asyncio.wait_for(client.get_stats(), 0.3)

        asyncio.run(main())

    def test_a_server_that_does_not_start_says_why(self):
        with self.assertRaisesRegex(RuntimeError, "nonsense"):
            TestServer(args=["--nonsense"])


if __name__ == "__main__":
    print(sys.version.split()[0])
    unittest.main()
