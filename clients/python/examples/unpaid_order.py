"""A shop that cancels an order which is not paid within 30 minutes: a time-out that acts unless it is cancelled
first, although the machine that took the order may be gone by then. With asyncio, in one event loop.

TestServer is a real Carillon whose clock this program moves; it needs `carillond` in the PATH.
"""

import asyncio
import json
from datetime import timedelta

import carillon
from carillon.testing import TestServer


class Orders:
    def __init__(self, client: carillon.AsyncClient) -> None:
        self.client = client
        self.states = {}

    async def place(self, order: int) -> None:
        self.states[order] = "open"
        await self.client.create_task(
            id=f"order-{order}-unpaid", delay=timedelta(minutes=30), target="unpaid-orders", payload={"order": order}
        )

    async def pay(self, order: int) -> bool:
        """Paying and timing out race. Whoever is first in Carillon's log wins, and the other one is told."""
        try:
            await self.client.cancel_task(f"order-{order}-unpaid")
        except carillon.ConflictError:  # task_firing or task_finished: too late
            return False
        self.states[order] = "paid"
        return True

    def time_out(self, order: int) -> None:
        """Pushes come at least once, so this must be fine to do again: it is."""
        self.states[order] = "not paid in time"

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A receiver as small as it can be; yours is a route of your web framework."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        self.time_out(json.loads(await reader.readexactly(length))["order"])
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


async def main() -> None:
    with TestServer() as server:
        async with carillon.AsyncClient(server.url) as client:
            orders = Orders(client)
            shop = await asyncio.start_server(orders.receive, "127.0.0.1", 0)
            port = shop.sockets[0].getsockname()[1]
            await client.put_target("unpaid-orders", url=f"http://127.0.0.1:{port}/")

            await asyncio.gather(orders.place(1), orders.place(2))
            await server.advance_async("29m")
            assert await orders.pay(1)
            await server.advance_async("1m")
            assert not await orders.pay(2)
            assert orders.states == {1: "paid", 2: "not paid in time"}, orders.states
            print(orders.states)
            shop.close()


if __name__ == "__main__":
    asyncio.run(main())
