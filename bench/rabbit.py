"""Delays as RabbitMQ's users make them: a TTL on each message, and a dead-letter exchange."""

import json
import random
import time


def figures_of(late_us):
    """As carillon-load gives them."""
    ordered = sorted(late_us)

    def at(share):
        return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]

    shares = [0.001, 0.01, *(step / 20 for step in range(1, 20)), 0.99, 0.999, 1.0]
    return {"p50": at(0.5), "p99": at(0.99), "p99.9": at(0.999), "max": ordered[-1],
            "cdf": [[share, at(share)] for share in shares]}


def connect(server):
    import pika  # Debian's python3-pika; only where RabbitMQ is measured
    end = time.monotonic() + 60
    while True:
        try:
            return pika, pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", server.port))
        except pika.exceptions.AMQPError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)  # the port is open before the broker is


def publish(pika, channel, count, longest_s):
    """Answers the sum of the numbers sent."""
    channel.queue_declare("due", durable=True)
    channel.queue_declare("wait", durable=True, arguments={
        "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "due"})
    channel.confirm_delivery()
    chance = random.Random(1)
    for number in range(count):
        delay_ms = chance.randint(int(longest_s * 10), int(longest_s * 1000))
        due = time.time() + delay_ms / 1000
        body = json.dumps({"number": number, "due": due}).encode().ljust(150)
        channel.basic_publish("", "wait", body, mandatory=True, properties=pika.BasicProperties(
            expiration=str(delay_ms), delivery_mode=2))


def consume(channel, count, patience_s):
    """The lateness of each message in microseconds, and the sum of their numbers."""
    late, numbers = [], 0
    for method, _, body in channel.consume("due", inactivity_timeout=patience_s):
        if method is None:
            break
        now = time.time()
        message = json.loads(body)
        late.append(max(0, int((now - message["due"]) * 1e6)))
        numbers += message["number"]
        channel.basic_ack(method.delivery_tag)
        if len(late) == count:
            break
    channel.cancel()
    return late, numbers


def delayed(bench, count, longest_s):
    with bench.peer("rabbitmq") as server:
        pika, publisher = connect(server)
        _, consumer = connect(server)
        publish(pika, publisher.channel(), count, longest_s)
        late, numbers = consume(consumer.channel(), count, longest_s + 20)
        publisher.close()
        consumer.close()
    bench.check("RabbitMQ: messages", count, len(late))
    bench.check("RabbitMQ: sum over their numbers", count * (count - 1) // 2, numbers)
    found = figures_of(late)
    bench.say(f"RabbitMQ: p50 {found['p50']} us, p99 {found['p99']} us")
    return {"count": count, "lateness": found}
