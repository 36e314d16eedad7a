"""A shop that reminds its users one minute before a coupon opens. Each may change their mind, and again.

It is also how to test such a program: TestServer is a real Carillon whose clock the test moves, so that nobody has
to wait for ten minutes. It needs `carillond` in the PATH.
"""

import json
import threading
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import carillon
from carillon.testing import TestServer

SECRET = "whsec_Y291cG9uLXJlbWluZGVyLWV4YW1wbGUh"  # from your vault; `openssl rand -base64 24` makes one


class Reminders:
    """What reminds. Whoever subscribes twice is reminded once, and nothing is lost if this process ends."""

    def __init__(self, client: carillon.Client) -> None:
        self.client = client

    def subscribe(self, user: str, coupon: str, opens: datetime) -> None:
        self.client.create_task(
            id=f"{user}:{coupon}",
            due_at=opens - timedelta(minutes=1),
            target="reminders",
            group=coupon,
            payload={"user": user, "coupon": coupon},
        )

    def unsubscribe(self, user: str, coupon: str) -> None:
        self.client.cancel_task(f"{user}:{coupon}")

    def postpone(self, coupon: str, by: timedelta) -> int:
        """The coupon opens later, or sooner: one call moves everybody."""
        return self.client.shift_group(coupon, by=by).shifted


class Receiver(BaseHTTPRequestHandler):
    """What Carillon calls when a reminder is due."""

    verifier = carillon.WebhookVerifier(SECRET)
    seen = set()  # in your database: a repeated webhook-id is a repeated push
    reminded = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            push = self.verifier.verify(body, self.headers)
        except carillon.SignatureError:
            self.send_error(400)
            return
        if push.webhook_id not in self.seen:
            self.seen.add(push.webhook_id)
            self.reminded.append(json.loads(body)["user"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, format, *args) -> None:
        pass


def main() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as shop, TestServer() as server:
        threading.Thread(target=shop.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{shop.server_port}/remind"
        server.client.put_target("reminders", url=url, secrets=[SECRET])
        reminders = Reminders(server.client)
        opens = server.now() + timedelta(minutes=10)

        for user in ("ada", "bob", "cyd", "dan"):
            reminders.subscribe(user, "spring", opens)
        reminders.unsubscribe("bob", "spring")
        reminders.unsubscribe("cyd", "spring")
        reminders.subscribe("cyd", "spring", opens)
        assert reminders.postpone("spring", timedelta(minutes=5)) == 3

        server.advance("13m")
        assert Receiver.reminded == []
        server.advance("1m")
        assert sorted(Receiver.reminded) == ["ada", "cyd", "dan"], Receiver.reminded
        print("reminded one minute before the coupon opens:", *Receiver.reminded)
        shop.shutdown()


if __name__ == "__main__":
    main()
