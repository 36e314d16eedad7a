"""Tasks that go to a queue: those of Carillon, and what people use in its place."""

import contextlib
import re
import socket
import time

from bench import nats, rabbit, servers
from bench.context import moment, wait_until_confirmed

PAYLOAD_BYTES = 150
POLL_S = 0.01
MOVED_AT_ONCE = 1000
MOVE = """
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], 0, ARGV[1], 'LIMIT', 0, ARGV[2])
if #ids == 0 then return 0 end
local payloads = redis.call('HMGET', KEYS[2], unpack(ids))
for i, id in ipairs(ids) do redis.call('XADD', KEYS[3], '*', 'id', id, 'body', payloads[i]) end
redis.call('ZREM', KEYS[1], unpack(ids))
redis.call('HDEL', KEYS[2], unpack(ids))
return #ids
"""


def add_words(bench, count, due):
    return ("--count", count, "--batch", bench.size(1000, 100), "-c", 4, "--payload-bytes",
            PAYLOAD_BYTES, "--ids", "queue-{}", "--due-at", moment(due))


def wait_for(due):
    """What is not there when it is due would make the rest look fast."""
    if time.time() >= due:
        raise RuntimeError("adding took too long: it was due before all was there")
    time.sleep(due - time.time())


def since(due):
    return round((time.time() - due) * 1e6)


def check_ids(bench, name, ids, count):
    wanted = {f"queue-{number}" for number in range(count)}
    bench.check(f"{name}: messages in the queue", count, len(ids))
    bench.check(f"{name}: ids, each once", count, len(wanted.intersection(ids)))


def push(bench, name, count, **settings):
    """Answers how long after they were due the server has counted all as delivered."""
    with bench.carillon() as server:
        server.call("PUT", "/v1/targets/queue", settings)
        due = int(time.time() + bench.size(4, 2))
        bench.load(server, "batch", *add_words(bench, count, due), "--target", "queue")
        wait_for(due)
        took = wait_until_confirmed(server, due)
        counts = server.call("GET", "/v1/stats")["counts"]
    bench.check(f"{name}: delivered, as the server counts", count, counts["delivered"])
    return took


# Carillon, to each kind of queue

def to_redis(bench, count):
    with bench.peer("redis") as redis:
        took = push(bench, "Redis", count, kind="redis", url=f"redis://{redis.address}/0", stream="due")
        entries = redis.call("XRANGE", "due", "-", "+")
    fields = [dict(zip(entry[::2], entry[1::2])) for _, entry in entries]
    check_ids(bench, "Redis", [entry["carillon-task-id"] for entry in fields], count)
    return took


def to_rabbitmq(bench, count):
    with bench.peer("rabbitmq") as broker, channel_to(broker) as (_, channel):
        channel.queue_declare("due", durable=True)
        took = push(bench, "RabbitMQ", count, kind="amqp", url=f"amqp://{broker.address}",
                    routing_key="due")
        ids = [properties.headers["carillon-task-id"] for properties in take(channel, "due")]
    check_ids(bench, "RabbitMQ", ids, count)
    return took


def to_nats(bench, count, sync_interval="always"):
    server = nats.Nats(bench.directory("nats"), nats.find(), sync_interval)
    with servers.running(server), contextlib.closing(nats.Client(server)) as client:
        client.make_stream("DUE", "due")
        took = push(bench, "NATS", count, kind="nats", url=f"nats://{server.address}", subject="due")
        heads = client.heads("DUE")
    ids = [re.search(r"^carillon-task-id: (\S+)", head, re.M)[1] for head in heads]
    check_ids(bench, "NATS", ids, count)
    return took


def to_lazy_nats(bench, count):
    return to_nats(bench, count, "2m")  # its default


@contextlib.contextmanager
def channel_to(broker):
    pika, connection = rabbit.connect(broker)
    try:
        yield pika, connection.channel()
    finally:
        connection.close()


def length(channel, queue):
    return channel.queue_declare(queue, passive=True).method.message_count


def wait_for_length(channel, queue, count, end):
    while length(channel, queue) < count:
        if time.time() > end:
            raise RuntimeError(f"RabbitMQ: {queue} has not got {count} messages")
        time.sleep(0.002)


def take(channel, queue):
    """The properties of all messages of a queue."""
    found, count = [], length(channel, queue)
    for method, properties, _ in channel.consume(queue, auto_ack=True, inactivity_timeout=30):
        if method is None:
            break
        found.append(properties)
        if len(found) == count:
            break
    channel.cancel()
    return found


# Those who do without Carillon

def poll_redis(bench, count):
    with bench.peer("redis") as redis:
        due = int(time.time() + bench.size(4, 2))
        bench.peer_load(redis, "redis-add", "--form", "variadic", *add_words(bench, count, due))
        script = redis.call("SCRIPT", "LOAD", MOVE)
        wait_for(due)
        took = move(redis, script, count, due)
        bench.check("Redis, polled: nothing is left", [0, 0], [redis.pending(), redis.payloads()])
        entries = redis.call("XRANGE", "due", "-", "+")
    check_ids(bench, "Redis, polled", [fields[1] for _, fields in entries], count)
    return took


def move(redis, script, count, due):
    """Polls each 10 ms, and at once again where there may be more."""
    moved = 0
    with socket.create_connection(("127.0.0.1", redis.port), timeout=60) as wire:
        stream = wire.makefile("rb")
        while moved < count:
            now = int(time.time() * 1000)
            wire.sendall(f"EVALSHA {script} 3 tasks payloads due {now} {MOVED_AT_ONCE}\r\n".encode())
            got = servers.read_reply(stream)
            moved += got
            if got < MOVED_AT_ONCE and moved < count:
                if now > (due + 60) * 1000:
                    raise RuntimeError(f"Redis: {moved} of {count} were moved")
                time.sleep(POLL_S)
    return since(due)


def dead_letter(bench, count):
    with bench.peer("rabbitmq") as broker, channel_to(broker) as (pika, channel):
        channel.queue_declare("due", durable=True)
        channel.queue_declare("wait", durable=True, arguments={
            "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "due"})
        due = int(time.time() + 15)
        for number in range(count):
            channel.basic_publish("", "wait", b"x" * PAYLOAD_BYTES, pika.BasicProperties(
                message_id=f"queue-{number}", delivery_mode=2,
                expiration=str(max(0, round((due - time.time()) * 1000)))))
            if number % 100 == 99:  # a TTL counts from the arrival in the queue
                wait_for_length(channel, "wait", number + 1, due)
        wait_for_length(channel, "wait", count, due)
        wait_for(due)
        wait_for_length(channel, "due", count, due + 60)
        took = since(due)
        ids = [properties.message_id for properties in take(channel, "due")]
    check_ids(bench, "RabbitMQ alone", ids, count)
    return took
