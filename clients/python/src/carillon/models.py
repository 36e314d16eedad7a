"""The models of the API. Made by clients/generate.py from api/openapi.json."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Dict, List, Literal, Mapping, Optional, Sequence

from ._values import UNSET, Duration, Model, Moment, each_item, each_value, read_duration, read_moment

State = Literal["scheduled", "firing", "retrying", "delivered", "dead", "expired", "cancelled"]
OnExpire = Literal["drop", "dead"]
IfExists = Literal["reject", "keep", "replace", "earliest", "latest", "once"]
WaitingFor = Literal["due", "retry", "target_paused", "target_held", "target_concurrency", "target_rate", "lane", "capacity", "catch_up", "commit", "batch", "merge"]
Event = Literal["created", "changed", "moved", "redriven", "group_shift", "group_cancel", "attempt", "delivered", "dead", "expired", "cancelled"]
Outcome = Literal["delivered", "failed"]
Kind = Literal["http", "redis", "amqp", "nats", "kafka"]
Reason = Literal["too_many_requests", "unavailable", "failing"]
Role = Literal["read", "write", "admin"]

__all__ = [
    "AdvanceClockResult",
    "Alarm",
    "AlarmList",
    "AuditEntry",
    "AuditList",
    "Batch",
    "BatchCancelled",
    "BatchCreated",
    "BatchItem",
    "Breaker",
    "CancelGroupResult",
    "Cancelled",
    "Cluster",
    "ClusterNode",
    "ClusterShard",
    "ClusterShardFollower",
    "Counts",
    "DrainNodeResult",
    "Event",
    "Explanation",
    "Forecast",
    "ForecastBucket",
    "GetHealthResult",
    "GetReadinessResult",
    "Group",
    "History",
    "HistoryPoint",
    "HistoryPointCommitMs",
    "HistoryPointLatenessMs",
    "IfExists",
    "Kind",
    "Lane",
    "LaneLatenessMs",
    "LaneList",
    "ListTargetsResult",
    "MakeCheckpointResult",
    "NewTask",
    "OnExpire",
    "Outcome",
    "Problem",
    "PurgeDeadResult",
    "Rate",
    "Reason",
    "RedriveAllDeadResult",
    "Retry",
    "Role",
    "Sender",
    "ShiftGroupResult",
    "State",
    "Stats",
    "StatsDelivery",
    "StatsLane",
    "StatsLaneLatenessMs",
    "StatsLatenessMs",
    "StatsMemory",
    "StatsStorage",
    "Target",
    "TargetHeld",
    "Task",
    "TaskPage",
    "TestTargetResult",
    "Timeline",
    "TimelineEvent",
    "Tls",
    "WaitingFor",
    "Wheel",
    "WheelLevel",
]


@dataclass(frozen=True)
class Retry(Model):
    """Exponential backoff: the pause doubles and is drawn between half and all of it, never under
    backoff_min. On a task, what is left out is as its target says.
    """

    #: Pushes in all, but for those that the receiver asked to come later.
    max_attempts: Optional[int] = None
    #: Default 1s.
    backoff_min: Optional[Duration] = None
    #: Default 1h.
    backoff_max: Optional[Duration] = None
    #: From the first attempt to the last; default 3d.
    max_age: Optional[Duration] = None


@dataclass(frozen=True)
class Rate(Model):
    """At most `limit` tasks begin in any stretch of `per`, and `burst` more."""

    limit: int
    #: 1ms to 1d; default 1s.
    per: Optional[Duration] = None
    #: Default: a twentieth of the limit, at least 1.
    burst: Optional[int] = None


@dataclass(frozen=True)
class Batch(Model):
    """Of kind http: due tasks of one lane go together in one push, as docs/batches.md has it."""

    tasks_max: Optional[int] = None
    #: Of the body of a push, 1KiB to 16MiB; default 1MiB.
    bytes_max: Optional[str] = None
    #: How long the first that is due waits for others, 0 to 1m; default 5ms.
    wait_max: Optional[Duration] = None


@dataclass(frozen=True)
class Breaker(Model):
    """After so many pushes in a row that fail (no connection, a time-out, 5xx) the target is held for
    `open_for`, doubled up to `open_max` each time a probe fails.
    """

    #: 0: never.
    failures: Optional[int] = None
    #: 1ms to 1d; default 5s.
    open_for: Optional[Duration] = None
    #: Up to 1d; default 5m.
    open_max: Optional[Duration] = None


@dataclass(frozen=True)
class NewTask(Model):
    """A field that is null is as if it were absent; only a payload that is null, without a body, is the JSON
    null.
    """

    #: A target's name, or an http(s) URL.
    target: str
    #: Without it, a UUIDv7 is made.
    id: Optional[str] = None
    due_at: Optional[Moment] = None
    delay: Optional[Duration] = None
    #: Any JSON; pushed as application/json exactly as sent.
    payload: Any = UNSET
    #: Text to push; instead of payload.
    body: Optional[str] = None
    #: Bytes to push; instead of payload.
    body_base64: Optional[str] = None
    #: Of body (default text/plain; charset=utf-8) or body_base64 (default application/octet-stream).
    content_type: Optional[str] = None
    headers: Optional[Mapping[str, str]] = None
    group: Optional[str] = None
    lane: Optional[str] = None
    #: Of tasks for targets of amqp, nats and kafka, in the place of the target's routing key or subject, or
    #: as the message's key. One of the target's `keys` must allow it; of kafka any is taken.
    key: Optional[str] = None
    #: Dropped if it could not be pushed within this long after due.
    expire_after: Optional[Duration] = None
    #: What becomes of it once `expire_after` is over: `drop`, the default, makes it `expired`, `dead` a dead
    #: letter that says so.
    on_expire: Optional[OnExpire] = None
    #: How long before its due it may be pushed together with another task of the same part of its id (the
    #: text in braces), target and lane, which is due no further from it than both allow; up to 1h. 422
    #: `unmergeable` where the id has no such part, or the target is a URL or of a kind that takes each task
    #: by itself.
    merge_within: Optional[Duration] = None
    retry: Optional[Retry] = None
    #: What to do where the id names another unfinished task.
    if_exists: Optional[IfExists] = None


@dataclass(frozen=True)
class Task(Model):
    """What is not set is left out."""

    id: str
    state: State
    due_at: datetime
    created_at: datetime
    #: A target's name, or an http(s) URL. Its query is shown to the roles write and admin; to others as
    #: `***`.
    target: str
    #: Pushes that have begun.
    attempt: int
    #: Of a dead letter that was sent again.
    redriven_at: Optional[datetime] = None
    group: Optional[str] = None
    lane: Optional[str] = None
    #: Of tasks for targets of amqp, nats and kafka, in the place of the target's routing key or subject, or
    #: as the message's key. One of the target's `keys` must allow it; of kafka any is taken.
    key: Optional[str] = None
    next_attempt_at: Optional[datetime] = None
    finished_at: Optional[datetime] = None
    last_attempt_at: Optional[datetime] = None
    #: HTTP status that the receiver answered last.
    last_status: Optional[int] = None
    #: Why the last push failed.
    last_error: Optional[str] = None
    expire_after: Optional[timedelta] = None
    #: What becomes of it once `expire_after` is over: `drop`, the default, makes it `expired`, `dead` a dead
    #: letter that says so.
    on_expire: Optional[OnExpire] = None
    #: How long before its due it may be pushed together with another task of the same part of its id.
    merge_within: Optional[timedelta] = None
    retry: Optional[Retry] = None
    #: Any JSON; pushed as application/json exactly as sent.
    payload: Any = None
    #: Text to push; instead of payload.
    body: Optional[str] = None
    #: Bytes to push; instead of payload.
    body_base64: Optional[str] = None
    #: Of body (default text/plain; charset=utf-8) or body_base64 (default application/octet-stream).
    content_type: Optional[str] = None
    headers: Optional[Dict[str, str]] = None


@dataclass(frozen=True)
class Explanation(Model):
    state: State
    #: For a person.
    detail: str
    #: Left out where it does not wait.
    waiting_for: Optional[WaitingFor] = None
    #: About when it goes, where that can be told.
    expected_at: Optional[datetime] = None
    #: Due tasks of its target and lane before it; of more than 20,000 so many.
    ahead: Optional[int] = None


@dataclass(frozen=True)
class Timeline(Model):
    id: str
    state: State
    events: List[TimelineEvent]


@dataclass(frozen=True)
class TimelineEvent(Model):
    event: Event
    #: When; of an attempt its start. Absent of moved.
    at: Optional[datetime] = None
    #: Of created and changed: the due that was asked for. Of moved: the one that stands.
    due_at: Optional[datetime] = None
    #: Of moved: the due that was asked for before.
    from_: Optional[datetime] = None
    #: Of a group's operation: the token's name, where one was asked for.
    who: Optional[str] = None
    #: Of a group's operation: what it was answered.
    result: Optional[Dict[str, Any]] = None
    #: Which, from 1.
    attempt: Optional[int] = None
    #: Of an attempt: its start minus its due.
    lateness_ms: Optional[int] = None
    #: Of an attempt: from its start to the receiver's answer.
    duration_ms: Optional[int] = None
    outcome: Optional[Outcome] = None
    #: Of an attempt: the receiver's; absent where none came.
    status: Optional[int] = None
    #: Why an attempt failed.
    error: Optional[str] = None
    #: When the attempt after it was due.
    retry_at: Optional[datetime] = None
    #: How long after the end of the attempt that was.
    pause_ms: Optional[int] = None


@dataclass(frozen=True)
class TaskPage(Model):
    #: In due order; without payload, body and headers.
    tasks: List[Task]
    #: For the next page; absent on the last.
    next_cursor: Optional[str] = None
    silent_shards: Optional[List[int]] = None


@dataclass(frozen=True)
class Cancelled(Model):
    id: str
    #: firing: the attempt under way is the last.
    state: State
    #: Pushes of it that had begun; with 0 none ever did.
    attempts: int
    #: With state firing.
    retries: Optional[Literal["cancelled"]] = None


@dataclass(frozen=True)
class Problem(Model):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: Optional[str] = None
    #: The field or parameter at fault.
    field: Optional[str] = None
    state: Optional[State] = None
    attempt: Optional[int] = None
    at: Optional[datetime] = None


@dataclass(frozen=True)
class BatchItem(Model):
    #: As a single call would have had it.
    status: int
    id: Optional[str] = None
    type: Optional[str] = None
    title: Optional[str] = None
    detail: Optional[str] = None
    field: Optional[str] = None
    state: Optional[State] = None
    attempt: Optional[int] = None
    at: Optional[datetime] = None
    attempts: Optional[int] = None


@dataclass(frozen=True)
class BatchCreated(Model):
    #: In the order of the request.
    results: List[BatchItem]
    created: int
    failed: int


@dataclass(frozen=True)
class BatchCancelled(Model):
    #: In the order of the request.
    results: List[BatchItem]
    cancelled: int
    failed: int


@dataclass(frozen=True)
class Counts(Model):
    scheduled: int
    firing: int
    retrying: int
    delivered: int
    dead: int
    expired: int
    cancelled: int


@dataclass(frozen=True)
class Group(Model):
    group: str
    counts: Counts
    earliest_due: Optional[datetime] = None
    latest_due: Optional[datetime] = None


@dataclass(frozen=True)
class Tls(Model):
    verify: Optional[bool] = None
    ca_file: Optional[str] = None
    certificate_file: Optional[str] = None
    private_key_file: Optional[str] = None


@dataclass(frozen=True)
class Target(Model):
    name: str
    #: Unfinished tasks that name it.
    waiting: int
    #: Of these, due and not fired yet.
    backlog: int
    #: Pushes under way.
    in_flight: int
    kind: Optional[Kind] = None
    #: Its query is shown to the role admin, to others as `***`.
    url: Optional[str] = None
    exchange: Optional[str] = None
    routing_key: Optional[str] = None
    #: Left out where there are none.
    keys: Optional[List[str]] = None
    persistent: Optional[bool] = None
    subject: Optional[str] = None
    brokers: Optional[List[str]] = None
    topic: Optional[str] = None
    acks: Optional[str] = None
    sasl_mechanism: Optional[str] = None
    mandatory: Optional[bool] = None
    stream: Optional[str] = None
    maxlen: Optional[int] = None
    replicas: Optional[int] = None
    username: Optional[str] = None
    #: Shown as ***.
    password: Optional[str] = None
    password_file: Optional[str] = None
    password_env: Optional[str] = None
    creds_file: Optional[str] = None
    method: Optional[str] = None
    headers: Optional[Dict[str, str]] = None
    #: Of a whole push; default 15s.
    timeout: Optional[timedelta] = None
    #: How long after its opening a connection is used for pushes; 0: for one push; at most 24h; default 60s.
    connection_max_age: Optional[timedelta] = None
    #: Pushes under way at once; default 64, of brokers 1000.
    concurrency: Optional[int] = None
    rate: Optional[Rate] = None
    batch: Optional[Batch] = None
    retry: Optional[Retry] = None
    breaker: Optional[Breaker] = None
    #: After 429, 503 with Retry-After, or a broker's word that means as much, nothing is pushed to it for so
    #: long at most; default 5m.
    hold_max: Optional[timedelta] = None
    #: Standard Webhooks secrets; shown as whsec_***.
    secrets: Optional[List[str]] = None
    tls: Optional[Tls] = None
    paused: Optional[bool] = None
    #: Nothing is pushed to it, or one task at a time once `until` is past, because it asked for that or keeps
    #: failing.
    held: Optional[TargetHeld] = None
    silent_shards: Optional[List[int]] = None


@dataclass(frozen=True)
class TargetHeld(Model):
    """Nothing is pushed to it, or one task at a time once `until` is past, because it asked for that or keeps
    failing.
    """

    until: datetime
    reason: Reason
    since: datetime


@dataclass(frozen=True)
class Lane(Model):
    name: str
    #: Its part of the slots that nobody reserved, relative to the weights of the other lanes that have due
    #: tasks.
    weight: int
    #: The part of each limit that is set aside for it while it has unfinished tasks there, in steps of 0.001.
    reserved: float
    #: Unfinished tasks that name it.
    waiting: int
    #: Of these, due and not fired yet.
    backlog: int
    #: Its pushes under way.
    in_flight: int
    #: Start of a push minus its due, since the start.
    lateness_ms: LaneLatenessMs
    silent_shards: Optional[List[int]] = None


@dataclass(frozen=True)
class LaneLatenessMs(Model):
    """Start of a push minus its due, since the start."""

    count: Optional[float] = None
    p50: Optional[float] = None
    p99: Optional[float] = None
    p999: Optional[float] = None
    max: Optional[float] = None


@dataclass(frozen=True)
class LaneList(Model):
    lanes: List[Lane]


@dataclass(frozen=True)
class Sender(Model):
    role: Role


@dataclass(frozen=True)
class Stats(Model):
    version: str
    now: datetime
    counts: Counts
    backlog: int
    #: Start of a push minus its due, since the start.
    lateness_ms: StatsLatenessMs
    #: By the lane's name.
    lanes: Dict[str, StatsLane]
    storage: StatsStorage
    delivery: StatsDelivery
    memory: StatsMemory
    oldest_overdue: Optional[timedelta] = None
    silent_shards: Optional[List[int]] = None


@dataclass(frozen=True)
class StatsLatenessMs(Model):
    """Start of a push minus its due, since the start."""

    count: Optional[float] = None
    p50: Optional[float] = None
    p99: Optional[float] = None
    p999: Optional[float] = None
    max: Optional[float] = None


@dataclass(frozen=True)
class StatsLane(Model):
    #: Unfinished tasks.
    waiting: int
    #: Of these, due and not fired yet.
    backlog: int
    #: Pushes under way.
    in_flight: int
    #: Start of a push minus its due, since the start.
    lateness_ms: StatsLaneLatenessMs


@dataclass(frozen=True)
class StatsLaneLatenessMs(Model):
    """Start of a push minus its due, since the start."""

    count: Optional[float] = None
    p50: Optional[float] = None
    p99: Optional[float] = None
    p999: Optional[float] = None
    max: Optional[float] = None


@dataclass(frozen=True)
class StatsStorage(Model):
    last_sequence: Optional[int] = None
    log_bytes: Optional[int] = None
    disk_bytes: Optional[int] = None
    free_bytes: Optional[int] = None
    commits: Optional[int] = None


@dataclass(frozen=True)
class StatsDelivery(Model):
    in_flight: Optional[int] = None
    connections_open: Optional[int] = None
    connections_made: Optional[int] = None
    connections_reused: Optional[int] = None


@dataclass(frozen=True)
class StatsMemory(Model):
    tasks_bytes: Optional[int] = None
    content_bytes: Optional[int] = None
    storage_bytes: Optional[int] = None
    resident_bytes: Optional[int] = None


@dataclass(frozen=True)
class Wheel(Model):
    levels: List[WheelLevel]


@dataclass(frozen=True)
class WheelLevel(Model):
    slot_width: Optional[timedelta] = None
    slots: Optional[int] = None
    occupied: Optional[int] = None
    tasks: Optional[int] = None


@dataclass(frozen=True)
class Forecast(Model):
    bucket: timedelta
    #: Those with tasks.
    buckets: List[ForecastBucket]


@dataclass(frozen=True)
class ForecastBucket(Model):
    from_: datetime
    tasks: int


@dataclass(frozen=True)
class History(Model):
    step: timedelta
    points: List[HistoryPoint]


@dataclass(frozen=True)
class HistoryPoint(Model):
    """What came to pass in a step, and what stood. Counters and lateness are of the node that answers."""

    from_: datetime
    added: int
    cancelled: int
    fired: int
    delivered: int
    #: Pushes that failed and will be tried again.
    retrying: int
    #: Tasks that became dead letters.
    dead: int
    expired: int
    #: At the end: scheduled, firing and retrying.
    pending: int
    #: At the end.
    dead_letters: int
    #: At most: due and not fired.
    backlog: int
    #: At most: pushes under way.
    in_flight: int
    #: At most.
    oldest_overdue_ms: int
    lateness_ms: HistoryPointLatenessMs
    commit_ms: HistoryPointCommitMs


@dataclass(frozen=True)
class HistoryPointLatenessMs(Model):
    p50: float
    p99: float
    p999: float


@dataclass(frozen=True)
class HistoryPointCommitMs(Model):
    p99: float


@dataclass(frozen=True)
class AlarmList(Model):
    alarms: List[Alarm]


@dataclass(frozen=True)
class Alarm(Model):
    #: Such as overdue.
    alarm: str
    since: datetime
    #: What, and how much.
    detail: str
    #: What to do.
    advice: str
    #: The target, node or shard; absent where it is of the server.
    of: Optional[str] = None


@dataclass(frozen=True)
class AuditList(Model):
    entries: List[AuditEntry]


@dataclass(frozen=True)
class AuditEntry(Model):
    at: datetime
    #: Such as POST /v1/groups/{group}:cancel.
    action: str
    status: int
    #: The token's name; absent where no token was asked for.
    who: Optional[str] = None
    #: Which; absent where it is of none.
    of: Optional[str] = None
    #: What a call on many tasks answered.
    result: Optional[Dict[str, Any]] = None


@dataclass(frozen=True)
class Cluster(Model):
    name: str
    #: Made with the cluster.
    id: str
    #: The one that answers.
    node: str
    nodes: List[ClusterNode]
    shards: List[ClusterShard]


@dataclass(frozen=True)
class ClusterNode(Model):
    name: str
    url: str
    version: str
    #: It was heard within 3 s.
    alive: bool
    draining: bool
    #: Its clock is more than 1 s off the median of three or more; it owns nothing.
    clock_off: bool
    #: Of the clock of the node that answers.
    clock_ahead_ms: int
    last_heard_ms: int
    #: Shards.
    owns: int
    #: Keys of settings, such as horizon, that should be the same on all nodes, and that differ from those of
    #: the node that answers.
    settings_differ: List[str]


@dataclass(frozen=True)
class ClusterShard(Model):
    shard: int
    #: Null: it is being taken over.
    owner: Optional[str]
    #: How often it has been taken over.
    epoch: int
    #: That its stream has had, as of the owner's last heartbeat.
    messages: int
    followers: List[ClusterShardFollower]


@dataclass(frozen=True)
class ClusterShardFollower(Model):
    node: str
    #: Messages, as of the last heartbeats.
    behind: int


@dataclass(frozen=True)
class CancelGroupResult(Model):
    """The answer to `cancelGroup`."""

    cancelled: int
    firing: int


@dataclass(frozen=True)
class ShiftGroupResult(Model):
    """The answer to `shiftGroup`."""

    shifted: int


@dataclass(frozen=True)
class ListTargetsResult(Model):
    """The answer to `listTargets`."""

    targets: List[Target]
    #: Not on the last page.
    next_cursor: Optional[str] = None


@dataclass(frozen=True)
class TestTargetResult(Model):
    """The answer to `testTarget`."""

    #: Null: no answer came.
    status: Optional[int]
    delivered: bool
    error: Optional[str]
    #: The first 256 bytes of the answer's body.
    body: str
    duration_ms: int


@dataclass(frozen=True)
class RedriveAllDeadResult(Model):
    """The answer to `redriveAllDead`."""

    redriven: int


@dataclass(frozen=True)
class PurgeDeadResult(Model):
    """The answer to `purgeDead`."""

    purged: int


@dataclass(frozen=True)
class DrainNodeResult(Model):
    """The answer to `drainNode`."""

    node: str
    draining: bool


@dataclass(frozen=True)
class GetHealthResult(Model):
    """The answer to `getHealth`."""

    status: str


@dataclass(frozen=True)
class GetReadinessResult(Model):
    """The answer to `getReadiness`."""

    status: str
    #: `no_space` while adds are answered 507
    refuses: Optional[str] = None


@dataclass(frozen=True)
class MakeCheckpointResult(Model):
    """The answer to `makeCheckpoint`."""

    dir: str


@dataclass(frozen=True)
class AdvanceClockResult(Model):
    """The answer to `advanceClock`."""

    now: datetime


# How members are read that JSON has no type for.
Retry._readers = {"backoff_min": read_duration, "backoff_max": read_duration, "max_age": read_duration}
Rate._readers = {"per": read_duration}
Batch._readers = {"wait_max": read_duration}
Breaker._readers = {"open_for": read_duration, "open_max": read_duration}
NewTask._readers = {
    "due_at": read_moment,
    "delay": read_duration,
    "expire_after": read_duration,
    "merge_within": read_duration,
    "retry": Retry.from_json,
}
Task._readers = {
    "due_at": read_moment,
    "created_at": read_moment,
    "redriven_at": read_moment,
    "next_attempt_at": read_moment,
    "finished_at": read_moment,
    "last_attempt_at": read_moment,
    "expire_after": read_duration,
    "merge_within": read_duration,
    "retry": Retry.from_json,
}
Explanation._readers = {"expected_at": read_moment}
Timeline._readers = {"events": each_item(TimelineEvent.from_json)}
TimelineEvent._readers = {
    "at": read_moment,
    "due_at": read_moment,
    "from": read_moment,
    "retry_at": read_moment,
}
TaskPage._readers = {"tasks": each_item(Task.from_json)}
Problem._readers = {"at": read_moment}
BatchItem._readers = {"at": read_moment}
BatchCreated._readers = {"results": each_item(BatchItem.from_json)}
BatchCancelled._readers = {"results": each_item(BatchItem.from_json)}
Group._readers = {"counts": Counts.from_json, "earliest_due": read_moment, "latest_due": read_moment}
Target._readers = {
    "timeout": read_duration,
    "connection_max_age": read_duration,
    "rate": Rate.from_json,
    "batch": Batch.from_json,
    "retry": Retry.from_json,
    "breaker": Breaker.from_json,
    "hold_max": read_duration,
    "tls": Tls.from_json,
    "held": TargetHeld.from_json,
}
TargetHeld._readers = {"until": read_moment, "since": read_moment}
Lane._readers = {"lateness_ms": LaneLatenessMs.from_json}
LaneList._readers = {"lanes": each_item(Lane.from_json)}
Stats._readers = {
    "now": read_moment,
    "counts": Counts.from_json,
    "oldest_overdue": read_duration,
    "lateness_ms": StatsLatenessMs.from_json,
    "lanes": each_value(StatsLane.from_json),
    "storage": StatsStorage.from_json,
    "delivery": StatsDelivery.from_json,
    "memory": StatsMemory.from_json,
}
StatsLane._readers = {"lateness_ms": StatsLaneLatenessMs.from_json}
Wheel._readers = {"levels": each_item(WheelLevel.from_json)}
WheelLevel._readers = {"slot_width": read_duration}
Forecast._readers = {"bucket": read_duration, "buckets": each_item(ForecastBucket.from_json)}
ForecastBucket._readers = {"from": read_moment}
History._readers = {"step": read_duration, "points": each_item(HistoryPoint.from_json)}
HistoryPoint._readers = {
    "from": read_moment,
    "lateness_ms": HistoryPointLatenessMs.from_json,
    "commit_ms": HistoryPointCommitMs.from_json,
}
AlarmList._readers = {"alarms": each_item(Alarm.from_json)}
Alarm._readers = {"since": read_moment}
AuditList._readers = {"entries": each_item(AuditEntry.from_json)}
AuditEntry._readers = {"at": read_moment}
Cluster._readers = {"nodes": each_item(ClusterNode.from_json), "shards": each_item(ClusterShard.from_json)}
ClusterShard._readers = {"followers": each_item(ClusterShardFollower.from_json)}
ListTargetsResult._readers = {"targets": each_item(Target.from_json)}
AdvanceClockResult._readers = {"now": read_moment}
