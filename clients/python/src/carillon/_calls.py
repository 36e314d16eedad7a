"""A method for each operation of the API. Made by clients/generate.py from api/openapi.json."""

from __future__ import annotations

from functools import partial
from typing import Any, AsyncIterator, Dict, Iterator, List, Literal, Mapping, Optional, Sequence, Union

from . import models
from . import _operations as operations
from ._values import UNSET, Duration, Moment, Unset, some


class Calls:
    """The calls, made in the caller's thread."""

    _core: Any
    _run: Any
    _items: Any

    def create_task(
        self,
        *,
        target: str,
        id: Optional[str] = None,
        due_at: Optional[Moment] = None,
        delay: Optional[Duration] = None,
        payload: Any = UNSET,
        body: Optional[str] = None,
        body_base64: Optional[str] = None,
        content_type: Optional[str] = None,
        headers: Optional[Mapping[str, str]] = None,
        group: Optional[str] = None,
        lane: Optional[str] = None,
        key: Optional[str] = None,
        expire_after: Optional[Duration] = None,
        on_expire: Optional[models.OnExpire] = None,
        merge_within: Optional[Duration] = None,
        retry: Optional[models.Retry] = None,
        if_exists: Optional[models.IfExists] = None,
    ) -> models.Task:
        """Schedule a task. Role: write. `POST /v1/tasks`"""
        given = some({
            "target": target,
            "id": id,
            "due_at": due_at,
            "delay": delay,
            "body": body,
            "body_base64": body_base64,
            "content_type": content_type,
            "headers": headers,
            "group": group,
            "lane": lane,
            "key": key,
            "expire_after": expire_after,
            "on_expire": on_expire,
            "merge_within": merge_within,
            "retry": retry,
            "if_exists": if_exists,
        })
        return self._run(
            self._core.call(
                operations.CREATE_TASK,
                body={**given, "payload": payload},
                read=models.Task.from_json,
            )
        )

    def list_tasks(
        self,
        *,
        group: Optional[str] = None,
        target: Optional[str] = None,
        lane: Optional[str] = None,
        state: Optional[models.State] = None,
        due_from: Optional[Moment] = None,
        due_to: Optional[Moment] = None,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> models.TaskPage:
        """A page of tasks in due order. Role: read. `GET /v1/tasks`"""
        return self._run(
            self._core.call(
                operations.LIST_TASKS,
                query=some({
                    "group": group,
                    "target": target,
                    "lane": lane,
                    "state": state,
                    "due_from": due_from,
                    "due_to": due_to,
                    "limit": limit,
                    "cursor": cursor,
                }),
                read=models.TaskPage.from_json,
            )
        )

    def iter_tasks(
        self,
        *,
        group: Optional[str] = None,
        target: Optional[str] = None,
        lane: Optional[str] = None,
        state: Optional[models.State] = None,
        due_from: Optional[Moment] = None,
        due_to: Optional[Moment] = None,
        limit: Optional[int] = None,
    ) -> Iterator[models.Task]:
        """What `list_tasks` lists, from all pages."""
        page = partial(
            self.list_tasks,
            group=group,
            target=target,
            lane=lane,
            state=state,
            due_from=due_from,
            due_to=due_to,
            limit=limit,
        )
        return self._items(page, "tasks")

    def get_task(self, id: str) -> models.Task:
        """A task. Role: read. `GET /v1/tasks/{id}`"""
        return self._run(self._core.call(operations.GET_TASK, (id,), read=models.Task.from_json))

    def change_task(
        self,
        id: str,
        *,
        due_at: Optional[Moment] = None,
        delay: Optional[Duration] = None,
        target: Optional[str] = None,
        payload: Any = UNSET,
        body: Optional[str] = None,
        body_base64: Optional[str] = None,
        content_type: Optional[str] = None,
        headers: Union[Mapping[str, str], None, Unset] = UNSET,
        group: Union[str, None, Unset] = UNSET,
        lane: Union[str, None, Unset] = UNSET,
        key: Union[str, None, Unset] = UNSET,
        expire_after: Union[Duration, None, Unset] = UNSET,
        on_expire: Union[models.OnExpire, None, Unset] = UNSET,
        merge_within: Union[Duration, None, Unset] = UNSET,
        retry: Union[models.Retry, None, Unset] = UNSET,
    ) -> models.Task:
        """Move or change a task, atomically. Role: write. `PATCH /v1/tasks/{id}`"""
        given = some({
            "due_at": due_at,
            "delay": delay,
            "target": target,
            "body": body,
            "body_base64": body_base64,
            "content_type": content_type,
        })
        return self._run(
            self._core.call(
                operations.CHANGE_TASK,
                (id,),
                body={
                    **given,
                    "payload": payload,
                    "headers": headers,
                    "group": group,
                    "lane": lane,
                    "key": key,
                    "expire_after": expire_after,
                    "on_expire": on_expire,
                    "merge_within": merge_within,
                    "retry": retry,
                },
                read=models.Task.from_json,
            )
        )

    def cancel_task(self, id: str, *, retries: Optional[Literal["cancel"]] = None) -> models.Cancelled:
        """Cancel a task. Role: write. `DELETE /v1/tasks/{id}`"""
        return self._run(
            self._core.call(
                operations.CANCEL_TASK,
                (id,),
                query=some({"retries": retries}),
                read=models.Cancelled.from_json,
            )
        )

    def explain_task(self, id: str) -> models.Explanation:
        """Why a task has not been pushed yet. Role: read. `GET /v1/tasks/{id}/explain`"""
        return self._run(self._core.call(operations.EXPLAIN_TASK, (id,), read=models.Explanation.from_json))

    def get_timeline(self, id: str) -> models.Timeline:
        """What happened to a task, in order. Role: read. `GET /v1/tasks/{id}/timeline`"""
        return self._run(self._core.call(operations.GET_TIMELINE, (id,), read=models.Timeline.from_json))

    def push_task(self, id: str) -> models.Task:
        """Make a waiting task due now. Role: write. `POST /v1/tasks/{id}:push`"""
        return self._run(self._core.call(operations.PUSH_TASK, (id,), read=models.Task.from_json))

    def get_group(self, group: str) -> models.Group:
        """A group's tasks, counted. Role: read. `GET /v1/groups/{group}`"""
        return self._run(self._core.call(operations.GET_GROUP, (group,), read=models.Group.from_json))

    def cancel_group(self, group: str, *, operation: Optional[str] = None) -> models.CancelGroupResult:
        """Cancel all that waits in a group. Role: write. `POST /v1/groups/{group}:cancel`"""
        return self._run(
            self._core.call(
                operations.CANCEL_GROUP,
                (group,),
                body=some({"operation": operation}),
                read=models.CancelGroupResult.from_json,
            )
        )

    def shift_group(
        self,
        group: str,
        *,
        by: Duration,
        operation: Optional[str] = None,
    ) -> models.ShiftGroupResult:
        """Move all that waits in a group. Role: write. `POST /v1/groups/{group}:shift`"""
        return self._run(
            self._core.call(
                operations.SHIFT_GROUP,
                (group,),
                body=some({"by": by, "operation": operation}),
                read=models.ShiftGroupResult.from_json,
            )
        )

    def list_targets(
        self,
        *,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> models.ListTargetsResult:
        """All targets. Role: read. A page of them by name. `GET /v1/targets`"""
        return self._run(
            self._core.call(
                operations.LIST_TARGETS,
                query=some({"limit": limit, "cursor": cursor}),
                read=models.ListTargetsResult.from_json,
            )
        )

    def iter_targets(
        self,
        *,
        limit: Optional[int] = None,
    ) -> Iterator[models.Target]:
        """What `list_targets` lists, from all pages."""
        page = partial(self.list_targets, limit=limit)
        return self._items(page, "targets")

    def get_target(self, name: str) -> models.Target:
        """A target. Role: read. `GET /v1/targets/{name}`"""
        return self._run(self._core.call(operations.GET_TARGET, (name,), read=models.Target.from_json))

    def put_target(
        self,
        name: str,
        *,
        kind: Optional[models.Kind] = None,
        url: Optional[str] = None,
        exchange: Optional[str] = None,
        routing_key: Optional[str] = None,
        keys: Optional[Sequence[str]] = None,
        persistent: Optional[bool] = None,
        mandatory: Optional[bool] = None,
        stream: Optional[str] = None,
        subject: Optional[str] = None,
        brokers: Optional[Sequence[str]] = None,
        topic: Optional[str] = None,
        acks: Optional[str] = None,
        sasl_mechanism: Optional[str] = None,
        maxlen: Optional[int] = None,
        replicas: Optional[int] = None,
        username: Optional[str] = None,
        password: Optional[str] = None,
        password_file: Optional[str] = None,
        password_env: Optional[str] = None,
        creds_file: Optional[str] = None,
        method: Optional[str] = None,
        headers: Optional[Mapping[str, str]] = None,
        timeout: Optional[Duration] = None,
        connection_max_age: Optional[Duration] = None,
        concurrency: Optional[int] = None,
        rate: Optional[models.Rate] = None,
        batch: Optional[models.Batch] = None,
        retry: Optional[models.Retry] = None,
        breaker: Optional[models.Breaker] = None,
        hold_max: Optional[Duration] = None,
        secrets: Optional[Sequence[str]] = None,
        tls: Optional[models.Tls] = None,
        paused: Optional[bool] = None,
    ) -> models.Target:
        """Make or change a target. Role: admin. Takes what an answer shows. A hidden secret or header value
        (`whsec_***`, `***`) keeps what is stored, as does leaving out `secrets` or `paused`; `"secrets": []`
        removes them. 422 `secret_needed` if what is kept would go to another host or port; 422
        `unusable_file` if a file of `tls` cannot be used. `PUT /v1/targets/{name}`
        """
        return self._run(
            self._core.call(
                operations.PUT_TARGET,
                (name,),
                body=some({
                    "kind": kind,
                    "url": url,
                    "exchange": exchange,
                    "routing_key": routing_key,
                    "keys": keys,
                    "persistent": persistent,
                    "mandatory": mandatory,
                    "stream": stream,
                    "subject": subject,
                    "brokers": brokers,
                    "topic": topic,
                    "acks": acks,
                    "sasl_mechanism": sasl_mechanism,
                    "maxlen": maxlen,
                    "replicas": replicas,
                    "username": username,
                    "password": password,
                    "password_file": password_file,
                    "password_env": password_env,
                    "creds_file": creds_file,
                    "method": method,
                    "headers": headers,
                    "timeout": timeout,
                    "connection_max_age": connection_max_age,
                    "concurrency": concurrency,
                    "rate": rate,
                    "batch": batch,
                    "retry": retry,
                    "breaker": breaker,
                    "hold_max": hold_max,
                    "secrets": secrets,
                    "tls": tls,
                    "paused": paused,
                }),
                read=models.Target.from_json,
            )
        )

    def change_target(
        self,
        name: str,
        *,
        url: Union[str, None, Unset] = UNSET,
        secrets: Union[Sequence[str], None, Unset] = UNSET,
        kind: Union[models.Kind, None, Unset] = UNSET,
        exchange: Union[str, None, Unset] = UNSET,
        routing_key: Union[str, None, Unset] = UNSET,
        keys: Union[Sequence[str], None, Unset] = UNSET,
        persistent: Union[bool, None, Unset] = UNSET,
        mandatory: Union[bool, None, Unset] = UNSET,
        stream: Union[str, None, Unset] = UNSET,
        subject: Union[str, None, Unset] = UNSET,
        brokers: Union[Sequence[str], None, Unset] = UNSET,
        topic: Union[str, None, Unset] = UNSET,
        acks: Union[str, None, Unset] = UNSET,
        sasl_mechanism: Union[str, None, Unset] = UNSET,
        maxlen: Union[int, None, Unset] = UNSET,
        replicas: Union[int, None, Unset] = UNSET,
        username: Union[str, None, Unset] = UNSET,
        password: Union[str, None, Unset] = UNSET,
        password_file: Union[str, None, Unset] = UNSET,
        password_env: Union[str, None, Unset] = UNSET,
        creds_file: Union[str, None, Unset] = UNSET,
        method: Union[str, None, Unset] = UNSET,
        headers: Union[Mapping[str, str], None, Unset] = UNSET,
        timeout: Union[Duration, None, Unset] = UNSET,
        connection_max_age: Union[Duration, None, Unset] = UNSET,
        concurrency: Union[int, None, Unset] = UNSET,
        rate: Union[models.Rate, None, Unset] = UNSET,
        batch: Union[models.Batch, None, Unset] = UNSET,
        retry: Union[models.Retry, None, Unset] = UNSET,
        breaker: Union[models.Breaker, None, Unset] = UNSET,
        hold_max: Union[Duration, None, Unset] = UNSET,
        tls: Union[models.Tls, None, Unset] = UNSET,
        paused: Union[bool, None, Unset] = UNSET,
    ) -> models.Target:
        """Change what is named of a target. Role: admin. JSON merge patch (RFC 7396): what is left out stays,
        null puts the default back. `PATCH /v1/targets/{name}`
        """
        return self._run(
            self._core.call(
                operations.CHANGE_TARGET,
                (name,),
                body={
                    "url": url,
                    "secrets": secrets,
                    "kind": kind,
                    "exchange": exchange,
                    "routing_key": routing_key,
                    "keys": keys,
                    "persistent": persistent,
                    "mandatory": mandatory,
                    "stream": stream,
                    "subject": subject,
                    "brokers": brokers,
                    "topic": topic,
                    "acks": acks,
                    "sasl_mechanism": sasl_mechanism,
                    "maxlen": maxlen,
                    "replicas": replicas,
                    "username": username,
                    "password": password,
                    "password_file": password_file,
                    "password_env": password_env,
                    "creds_file": creds_file,
                    "method": method,
                    "headers": headers,
                    "timeout": timeout,
                    "connection_max_age": connection_max_age,
                    "concurrency": concurrency,
                    "rate": rate,
                    "batch": batch,
                    "retry": retry,
                    "breaker": breaker,
                    "hold_max": hold_max,
                    "tls": tls,
                    "paused": paused,
                },
                read=models.Target.from_json,
            )
        )

    def delete_target(self, name: str, *, force: Optional[bool] = None) -> None:
        """Delete a target. Role: admin. `DELETE /v1/targets/{name}`"""
        return self._run(self._core.call(operations.DELETE_TARGET, (name,), query=some({"force": force})))

    def pause_target(self, name: str) -> models.Target:
        """Hold back a target's pushes. Role: admin. `POST /v1/targets/{name}:pause`"""
        return self._run(self._core.call(operations.PAUSE_TARGET, (name,), read=models.Target.from_json))

    def resume_target(self, name: str) -> models.Target:
        """Push to a target again. Role: admin. `POST /v1/targets/{name}:resume`"""
        return self._run(self._core.call(operations.RESUME_TARGET, (name,), read=models.Target.from_json))

    def test_target(self, name: str) -> models.TestTargetResult:
        """Push a test task to a target. Role: admin. The task is stored nowhere. 200 also where the receiver
        fails; it takes as long as the push, at most the timeout of the target. `POST /v1/targets/{name}:test`
        """
        return self._run(
            self._core.call(operations.TEST_TARGET, (name,), read=models.TestTargetResult.from_json)
        )

    def list_lanes(self) -> models.LaneList:
        """All lanes. Role: read. `GET /v1/lanes`"""
        return self._run(self._core.call(operations.LIST_LANES, read=models.LaneList.from_json))

    def get_lane(self, name: str) -> models.Lane:
        """A lane. Role: read. `GET /v1/lanes/{name}`"""
        return self._run(self._core.call(operations.GET_LANE, (name,), read=models.Lane.from_json))

    def put_lane(
        self,
        name: str,
        *,
        weight: Optional[int] = None,
        reserved: Optional[float] = None,
    ) -> models.Lane:
        """Make or change a lane. Role: admin. What is left out gets its default. 422 `too_many_lanes` beyond
        16, 422 `too_much_reserved` where all lanes together would reserve more than 0.9. `PUT
        /v1/lanes/{name}`
        """
        return self._run(
            self._core.call(
                operations.PUT_LANE,
                (name,),
                body=some({"weight": weight, "reserved": reserved}),
                read=models.Lane.from_json,
            )
        )

    def delete_lane(self, name: str) -> None:
        """Delete a lane. Role: admin. 409 `lane_in_use` while unfinished tasks name it, and for `default`,
        which exists always. `DELETE /v1/lanes/{name}`
        """
        return self._run(self._core.call(operations.DELETE_LANE, (name,)))

    def list_dead(
        self,
        *,
        group: Optional[str] = None,
        target: Optional[str] = None,
        due_from: Optional[Moment] = None,
        due_to: Optional[Moment] = None,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> models.TaskPage:
        """A page of dead letters. Role: read. `GET /v1/dead`"""
        return self._run(
            self._core.call(
                operations.LIST_DEAD,
                query=some({
                    "group": group,
                    "target": target,
                    "due_from": due_from,
                    "due_to": due_to,
                    "limit": limit,
                    "cursor": cursor,
                }),
                read=models.TaskPage.from_json,
            )
        )

    def iter_dead(
        self,
        *,
        group: Optional[str] = None,
        target: Optional[str] = None,
        due_from: Optional[Moment] = None,
        due_to: Optional[Moment] = None,
        limit: Optional[int] = None,
    ) -> Iterator[models.Task]:
        """What `list_dead` lists, from all pages."""
        page = partial(
            self.list_dead,
            group=group,
            target=target,
            due_from=due_from,
            due_to=due_to,
            limit=limit,
        )
        return self._items(page, "tasks")

    def redrive_all_dead(
        self,
        *,
        group: Optional[str] = None,
        target: Optional[str] = None,
        due_from: Optional[Moment] = None,
        due_to: Optional[Moment] = None,
        operation: Optional[str] = None,
    ) -> models.RedriveAllDeadResult:
        """Push dead letters again. Role: write. `POST /v1/dead:redrive`"""
        return self._run(
            self._core.call(
                operations.REDRIVE_ALL_DEAD,
                body=some({
                    "group": group,
                    "target": target,
                    "due_from": due_from,
                    "due_to": due_to,
                    "operation": operation,
                }),
                read=models.RedriveAllDeadResult.from_json,
            )
        )

    def purge_dead(
        self,
        *,
        group: Optional[str] = None,
        target: Optional[str] = None,
        due_from: Optional[Moment] = None,
        due_to: Optional[Moment] = None,
    ) -> models.PurgeDeadResult:
        """Delete dead letters. Role: write. `POST /v1/dead:purge`"""
        return self._run(
            self._core.call(
                operations.PURGE_DEAD,
                body=some({"group": group, "target": target, "due_from": due_from, "due_to": due_to}),
                read=models.PurgeDeadResult.from_json,
            )
        )

    def get_dead(self, id: str) -> models.Task:
        """A dead letter. Role: read. `GET /v1/dead/{id}`"""
        return self._run(self._core.call(operations.GET_DEAD, (id,), read=models.Task.from_json))

    def delete_dead(self, id: str) -> None:
        """Delete a dead letter. Role: write. `DELETE /v1/dead/{id}`"""
        return self._run(self._core.call(operations.DELETE_DEAD, (id,)))

    def redrive_dead(self, id: str, *, operation: Optional[str] = None) -> models.Task:
        """Push a dead letter again. Role: write. `POST /v1/dead/{id}:redrive`"""
        return self._run(
            self._core.call(
                operations.REDRIVE_DEAD,
                (id,),
                body=some({"operation": operation}),
                read=models.Task.from_json,
            )
        )

    def get_cluster(self) -> models.Cluster:
        """The cluster. Its nodes, and who owns and follows which shard, as the node that is asked knows it.
        Role: read. 404 on a server that is of no cluster. `GET /v1/cluster`
        """
        return self._run(self._core.call(operations.GET_CLUSTER, read=models.Cluster.from_json))

    def drain_node(self, node: str) -> models.DrainNodeResult:
        """Drain a node. The node gives its shards to others, one by one, and takes none until it is started
        anew. Answered when it has heard. Role: admin. `POST /v1/cluster/nodes/{node}:drain`
        """
        return self._run(
            self._core.call(operations.DRAIN_NODE, (node,), read=models.DrainNodeResult.from_json)
        )

    def get_health(self) -> models.GetHealthResult:
        """Whether the process lives. No token is needed, nor that the server is ready. `GET /healthz`"""
        return self._run(self._core.call(operations.GET_HEALTH, read=models.GetHealthResult.from_json))

    def get_readiness(self) -> models.GetReadinessResult:
        """Whether it serves. 503 says why not: recovering, draining, storage failed. `GET /readyz`"""
        return self._run(self._core.call(operations.GET_READINESS, read=models.GetReadinessResult.from_json))

    def get_metrics(self) -> str:
        """Metrics for Prometheus. Role: read. `GET /metrics`"""
        return self._run(self._core.call(operations.GET_METRICS))

    def get_open_api(self) -> Dict[str, Any]:
        """This document. No token is needed, nor that the server is ready. `GET /openapi.json`"""
        return self._run(self._core.call(operations.GET_OPEN_API))

    def get_stats(self) -> models.Stats:
        """Counts, backlog, lateness, storage, memory. Role: read. `GET /v1/stats`"""
        return self._run(self._core.call(operations.GET_STATS, read=models.Stats.from_json))

    def get_sender(self) -> models.Sender:
        """What the sender may do. Role: read. Without tokens everybody is `admin`. `GET /v1/whoami`"""
        return self._run(self._core.call(operations.GET_SENDER, read=models.Sender.from_json))

    def get_wheel(self) -> models.Wheel:
        """Levels of the timing wheel. Role: read. `GET /v1/wheel`"""
        return self._run(self._core.call(operations.GET_WHEEL, read=models.Wheel.from_json))

    def get_forecast(
        self,
        *,
        bucket: Optional[Duration] = None,
        from_: Optional[Moment] = None,
        to: Optional[Moment] = None,
        target: Optional[str] = None,
        lane: Optional[str] = None,
    ) -> models.Forecast:
        """How many tasks are due when. Role: read. `GET /v1/forecast`"""
        return self._run(
            self._core.call(
                operations.GET_FORECAST,
                query=some({"bucket": bucket, "from": from_, "to": to, "target": target, "lane": lane}),
                read=models.Forecast.from_json,
            )
        )

    def get_history(
        self,
        *,
        from_: Optional[Moment] = None,
        to: Optional[Moment] = None,
        step: Optional[Duration] = None,
    ) -> models.History:
        """Key figures of the last 24 hours. Role: read. `GET /v1/history`"""
        return self._run(
            self._core.call(
                operations.GET_HISTORY,
                query=some({"from": from_, "to": to, "step": step}),
                read=models.History.from_json,
            )
        )

    def list_alarms(self) -> models.AlarmList:
        """Alarms that are open. Role: read. `GET /v1/alarms`"""
        return self._run(self._core.call(operations.LIST_ALARMS, read=models.AlarmList.from_json))

    def list_audit(self, *, limit: Optional[int] = None) -> models.AuditList:
        """Who changed settings or many tasks at once. Role: read. `GET /v1/audit`"""
        return self._run(
            self._core.call(
                operations.LIST_AUDIT,
                query=some({"limit": limit}),
                read=models.AuditList.from_json,
            )
        )

    def make_checkpoint(self, *, dir: str) -> models.MakeCheckpointResult:
        """A consistent copy of the data directory. Role: admin. `POST /v1/admin/checkpoint`"""
        return self._run(
            self._core.call(
                operations.MAKE_CHECKPOINT,
                body=some({"dir": dir}),
                read=models.MakeCheckpointResult.from_json,
            )
        )

    def advance_clock(self, *, by: Duration) -> models.AdvanceClockResult:
        """Move the manual clock. Only with --clock manual. Role: admin. `POST /v1/clock:advance`"""
        return self._run(
            self._core.call(
                operations.ADVANCE_CLOCK,
                body=some({"by": by}),
                read=models.AdvanceClockResult.from_json,
            )
        )


class AsyncCalls:
    """The calls, made with asyncio."""

    _core: Any
    _run: Any
    _items: Any

    async def create_task(
        self,
        *,
        target: str,
        id: Optional[str] = None,
        due_at: Optional[Moment] = None,
        delay: Optional[Duration] = None,
        payload: Any = UNSET,
        body: Optional[str] = None,
        body_base64: Optional[str] = None,
        content_type: Optional[str] = None,
        headers: Optional[Mapping[str, str]] = None,
        group: Optional[str] = None,
        lane: Optional[str] = None,
        key: Optional[str] = None,
        expire_after: Optional[Duration] = None,
        on_expire: Optional[models.OnExpire] = None,
        merge_within: Optional[Duration] = None,
        retry: Optional[models.Retry] = None,
        if_exists: Optional[models.IfExists] = None,
    ) -> models.Task:
        """Schedule a task. Role: write. `POST /v1/tasks`"""
        given = some({
            "target": target,
            "id": id,
            "due_at": due_at,
            "delay": delay,
            "body": body,
            "body_base64": body_base64,
            "content_type": content_type,
            "headers": headers,
            "group": group,
            "lane": lane,
            "key": key,
            "expire_after": expire_after,
            "on_expire": on_expire,
            "merge_within": merge_within,
            "retry": retry,
            "if_exists": if_exists,
        })
        return await self._run(
            self._core.call(
                operations.CREATE_TASK,
                body={**given, "payload": payload},
                read=models.Task.from_json,
            )
        )

    async def list_tasks(
        self,
        *,
        group: Optional[str] = None,
        target: Optional[str] = None,
        lane: Optional[str] = None,
        state: Optional[models.State] = None,
        due_from: Optional[Moment] = None,
        due_to: Optional[Moment] = None,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> models.TaskPage:
        """A page of tasks in due order. Role: read. `GET /v1/tasks`"""
        return await self._run(
            self._core.call(
                operations.LIST_TASKS,
                query=some({
                    "group": group,
                    "target": target,
                    "lane": lane,
                    "state": state,
                    "due_from": due_from,
                    "due_to": due_to,
                    "limit": limit,
                    "cursor": cursor,
                }),
                read=models.TaskPage.from_json,
            )
        )

    def iter_tasks(
        self,
        *,
        group: Optional[str] = None,
        target: Optional[str] = None,
        lane: Optional[str] = None,
        state: Optional[models.State] = None,
        due_from: Optional[Moment] = None,
        due_to: Optional[Moment] = None,
        limit: Optional[int] = None,
    ) -> AsyncIterator[models.Task]:
        """What `list_tasks` lists, from all pages."""
        page = partial(
            self.list_tasks,
            group=group,
            target=target,
            lane=lane,
            state=state,
            due_from=due_from,
            due_to=due_to,
            limit=limit,
        )
        return self._items(page, "tasks")

    async def get_task(self, id: str) -> models.Task:
        """A task. Role: read. `GET /v1/tasks/{id}`"""
        return await self._run(self._core.call(operations.GET_TASK, (id,), read=models.Task.from_json))

    async def change_task(
        self,
        id: str,
        *,
        due_at: Optional[Moment] = None,
        delay: Optional[Duration] = None,
        target: Optional[str] = None,
        payload: Any = UNSET,
        body: Optional[str] = None,
        body_base64: Optional[str] = None,
        content_type: Optional[str] = None,
        headers: Union[Mapping[str, str], None, Unset] = UNSET,
        group: Union[str, None, Unset] = UNSET,
        lane: Union[str, None, Unset] = UNSET,
        key: Union[str, None, Unset] = UNSET,
        expire_after: Union[Duration, None, Unset] = UNSET,
        on_expire: Union[models.OnExpire, None, Unset] = UNSET,
        merge_within: Union[Duration, None, Unset] = UNSET,
        retry: Union[models.Retry, None, Unset] = UNSET,
    ) -> models.Task:
        """Move or change a task, atomically. Role: write. `PATCH /v1/tasks/{id}`"""
        given = some({
            "due_at": due_at,
            "delay": delay,
            "target": target,
            "body": body,
            "body_base64": body_base64,
            "content_type": content_type,
        })
        return await self._run(
            self._core.call(
                operations.CHANGE_TASK,
                (id,),
                body={
                    **given,
                    "payload": payload,
                    "headers": headers,
                    "group": group,
                    "lane": lane,
                    "key": key,
                    "expire_after": expire_after,
                    "on_expire": on_expire,
                    "merge_within": merge_within,
                    "retry": retry,
                },
                read=models.Task.from_json,
            )
        )

    async def cancel_task(self, id: str, *, retries: Optional[Literal["cancel"]] = None) -> models.Cancelled:
        """Cancel a task. Role: write. `DELETE /v1/tasks/{id}`"""
        return await self._run(
            self._core.call(
                operations.CANCEL_TASK,
                (id,),
                query=some({"retries": retries}),
                read=models.Cancelled.from_json,
            )
        )

    async def explain_task(self, id: str) -> models.Explanation:
        """Why a task has not been pushed yet. Role: read. `GET /v1/tasks/{id}/explain`"""
        return await self._run(
            self._core.call(operations.EXPLAIN_TASK, (id,), read=models.Explanation.from_json)
        )

    async def get_timeline(self, id: str) -> models.Timeline:
        """What happened to a task, in order. Role: read. `GET /v1/tasks/{id}/timeline`"""
        return await self._run(
            self._core.call(operations.GET_TIMELINE, (id,), read=models.Timeline.from_json)
        )

    async def push_task(self, id: str) -> models.Task:
        """Make a waiting task due now. Role: write. `POST /v1/tasks/{id}:push`"""
        return await self._run(self._core.call(operations.PUSH_TASK, (id,), read=models.Task.from_json))

    async def get_group(self, group: str) -> models.Group:
        """A group's tasks, counted. Role: read. `GET /v1/groups/{group}`"""
        return await self._run(self._core.call(operations.GET_GROUP, (group,), read=models.Group.from_json))

    async def cancel_group(self, group: str, *, operation: Optional[str] = None) -> models.CancelGroupResult:
        """Cancel all that waits in a group. Role: write. `POST /v1/groups/{group}:cancel`"""
        return await self._run(
            self._core.call(
                operations.CANCEL_GROUP,
                (group,),
                body=some({"operation": operation}),
                read=models.CancelGroupResult.from_json,
            )
        )

    async def shift_group(
        self,
        group: str,
        *,
        by: Duration,
        operation: Optional[str] = None,
    ) -> models.ShiftGroupResult:
        """Move all that waits in a group. Role: write. `POST /v1/groups/{group}:shift`"""
        return await self._run(
            self._core.call(
                operations.SHIFT_GROUP,
                (group,),
                body=some({"by": by, "operation": operation}),
                read=models.ShiftGroupResult.from_json,
            )
        )

    async def list_targets(
        self,
        *,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> models.ListTargetsResult:
        """All targets. Role: read. A page of them by name. `GET /v1/targets`"""
        return await self._run(
            self._core.call(
                operations.LIST_TARGETS,
                query=some({"limit": limit, "cursor": cursor}),
                read=models.ListTargetsResult.from_json,
            )
        )

    def iter_targets(
        self,
        *,
        limit: Optional[int] = None,
    ) -> AsyncIterator[models.Target]:
        """What `list_targets` lists, from all pages."""
        page = partial(self.list_targets, limit=limit)
        return self._items(page, "targets")

    async def get_target(self, name: str) -> models.Target:
        """A target. Role: read. `GET /v1/targets/{name}`"""
        return await self._run(self._core.call(operations.GET_TARGET, (name,), read=models.Target.from_json))

    async def put_target(
        self,
        name: str,
        *,
        kind: Optional[models.Kind] = None,
        url: Optional[str] = None,
        exchange: Optional[str] = None,
        routing_key: Optional[str] = None,
        keys: Optional[Sequence[str]] = None,
        persistent: Optional[bool] = None,
        mandatory: Optional[bool] = None,
        stream: Optional[str] = None,
        subject: Optional[str] = None,
        brokers: Optional[Sequence[str]] = None,
        topic: Optional[str] = None,
        acks: Optional[str] = None,
        sasl_mechanism: Optional[str] = None,
        maxlen: Optional[int] = None,
        replicas: Optional[int] = None,
        username: Optional[str] = None,
        password: Optional[str] = None,
        password_file: Optional[str] = None,
        password_env: Optional[str] = None,
        creds_file: Optional[str] = None,
        method: Optional[str] = None,
        headers: Optional[Mapping[str, str]] = None,
        timeout: Optional[Duration] = None,
        connection_max_age: Optional[Duration] = None,
        concurrency: Optional[int] = None,
        rate: Optional[models.Rate] = None,
        batch: Optional[models.Batch] = None,
        retry: Optional[models.Retry] = None,
        breaker: Optional[models.Breaker] = None,
        hold_max: Optional[Duration] = None,
        secrets: Optional[Sequence[str]] = None,
        tls: Optional[models.Tls] = None,
        paused: Optional[bool] = None,
    ) -> models.Target:
        """Make or change a target. Role: admin. Takes what an answer shows. A hidden secret or header value
        (`whsec_***`, `***`) keeps what is stored, as does leaving out `secrets` or `paused`; `"secrets": []`
        removes them. 422 `secret_needed` if what is kept would go to another host or port; 422
        `unusable_file` if a file of `tls` cannot be used. `PUT /v1/targets/{name}`
        """
        return await self._run(
            self._core.call(
                operations.PUT_TARGET,
                (name,),
                body=some({
                    "kind": kind,
                    "url": url,
                    "exchange": exchange,
                    "routing_key": routing_key,
                    "keys": keys,
                    "persistent": persistent,
                    "mandatory": mandatory,
                    "stream": stream,
                    "subject": subject,
                    "brokers": brokers,
                    "topic": topic,
                    "acks": acks,
                    "sasl_mechanism": sasl_mechanism,
                    "maxlen": maxlen,
                    "replicas": replicas,
                    "username": username,
                    "password": password,
                    "password_file": password_file,
                    "password_env": password_env,
                    "creds_file": creds_file,
                    "method": method,
                    "headers": headers,
                    "timeout": timeout,
                    "connection_max_age": connection_max_age,
                    "concurrency": concurrency,
                    "rate": rate,
                    "batch": batch,
                    "retry": retry,
                    "breaker": breaker,
                    "hold_max": hold_max,
                    "secrets": secrets,
                    "tls": tls,
                    "paused": paused,
                }),
                read=models.Target.from_json,
            )
        )

    async def change_target(
        self,
        name: str,
        *,
        url: Union[str, None, Unset] = UNSET,
        secrets: Union[Sequence[str], None, Unset] = UNSET,
        kind: Union[models.Kind, None, Unset] = UNSET,
        exchange: Union[str, None, Unset] = UNSET,
        routing_key: Union[str, None, Unset] = UNSET,
        keys: Union[Sequence[str], None, Unset] = UNSET,
        persistent: Union[bool, None, Unset] = UNSET,
        mandatory: Union[bool, None, Unset] = UNSET,
        stream: Union[str, None, Unset] = UNSET,
        subject: Union[str, None, Unset] = UNSET,
        brokers: Union[Sequence[str], None, Unset] = UNSET,
        topic: Union[str, None, Unset] = UNSET,
        acks: Union[str, None, Unset] = UNSET,
        sasl_mechanism: Union[str, None, Unset] = UNSET,
        maxlen: Union[int, None, Unset] = UNSET,
        replicas: Union[int, None, Unset] = UNSET,
        username: Union[str, None, Unset] = UNSET,
        password: Union[str, None, Unset] = UNSET,
        password_file: Union[str, None, Unset] = UNSET,
        password_env: Union[str, None, Unset] = UNSET,
        creds_file: Union[str, None, Unset] = UNSET,
        method: Union[str, None, Unset] = UNSET,
        headers: Union[Mapping[str, str], None, Unset] = UNSET,
        timeout: Union[Duration, None, Unset] = UNSET,
        connection_max_age: Union[Duration, None, Unset] = UNSET,
        concurrency: Union[int, None, Unset] = UNSET,
        rate: Union[models.Rate, None, Unset] = UNSET,
        batch: Union[models.Batch, None, Unset] = UNSET,
        retry: Union[models.Retry, None, Unset] = UNSET,
        breaker: Union[models.Breaker, None, Unset] = UNSET,
        hold_max: Union[Duration, None, Unset] = UNSET,
        tls: Union[models.Tls, None, Unset] = UNSET,
        paused: Union[bool, None, Unset] = UNSET,
    ) -> models.Target:
        """Change what is named of a target. Role: admin. JSON merge patch (RFC 7396): what is left out stays,
        null puts the default back. `PATCH /v1/targets/{name}`
        """
        return await self._run(
            self._core.call(
                operations.CHANGE_TARGET,
                (name,),
                body={
                    "url": url,
                    "secrets": secrets,
                    "kind": kind,
                    "exchange": exchange,
                    "routing_key": routing_key,
                    "keys": keys,
                    "persistent": persistent,
                    "mandatory": mandatory,
                    "stream": stream,
                    "subject": subject,
                    "brokers": brokers,
                    "topic": topic,
                    "acks": acks,
                    "sasl_mechanism": sasl_mechanism,
                    "maxlen": maxlen,
                    "replicas": replicas,
                    "username": username,
                    "password": password,
                    "password_file": password_file,
                    "password_env": password_env,
                    "creds_file": creds_file,
                    "method": method,
                    "headers": headers,
                    "timeout": timeout,
                    "connection_max_age": connection_max_age,
                    "concurrency": concurrency,
                    "rate": rate,
                    "batch": batch,
                    "retry": retry,
                    "breaker": breaker,
                    "hold_max": hold_max,
                    "tls": tls,
                    "paused": paused,
                },
                read=models.Target.from_json,
            )
        )

    async def delete_target(self, name: str, *, force: Optional[bool] = None) -> None:
        """Delete a target. Role: admin. `DELETE /v1/targets/{name}`"""
        return await self._run(
            self._core.call(operations.DELETE_TARGET, (name,), query=some({"force": force}))
        )

    async def pause_target(self, name: str) -> models.Target:
        """Hold back a target's pushes. Role: admin. `POST /v1/targets/{name}:pause`"""
        return await self._run(
            self._core.call(operations.PAUSE_TARGET, (name,), read=models.Target.from_json)
        )

    async def resume_target(self, name: str) -> models.Target:
        """Push to a target again. Role: admin. `POST /v1/targets/{name}:resume`"""
        return await self._run(
            self._core.call(operations.RESUME_TARGET, (name,), read=models.Target.from_json)
        )

    async def test_target(self, name: str) -> models.TestTargetResult:
        """Push a test task to a target. Role: admin. The task is stored nowhere. 200 also where the receiver
        fails; it takes as long as the push, at most the timeout of the target. `POST /v1/targets/{name}:test`
        """
        return await self._run(
            self._core.call(operations.TEST_TARGET, (name,), read=models.TestTargetResult.from_json)
        )

    async def list_lanes(self) -> models.LaneList:
        """All lanes. Role: read. `GET /v1/lanes`"""
        return await self._run(self._core.call(operations.LIST_LANES, read=models.LaneList.from_json))

    async def get_lane(self, name: str) -> models.Lane:
        """A lane. Role: read. `GET /v1/lanes/{name}`"""
        return await self._run(self._core.call(operations.GET_LANE, (name,), read=models.Lane.from_json))

    async def put_lane(
        self,
        name: str,
        *,
        weight: Optional[int] = None,
        reserved: Optional[float] = None,
    ) -> models.Lane:
        """Make or change a lane. Role: admin. What is left out gets its default. 422 `too_many_lanes` beyond
        16, 422 `too_much_reserved` where all lanes together would reserve more than 0.9. `PUT
        /v1/lanes/{name}`
        """
        return await self._run(
            self._core.call(
                operations.PUT_LANE,
                (name,),
                body=some({"weight": weight, "reserved": reserved}),
                read=models.Lane.from_json,
            )
        )

    async def delete_lane(self, name: str) -> None:
        """Delete a lane. Role: admin. 409 `lane_in_use` while unfinished tasks name it, and for `default`,
        which exists always. `DELETE /v1/lanes/{name}`
        """
        return await self._run(self._core.call(operations.DELETE_LANE, (name,)))

    async def list_dead(
        self,
        *,
        group: Optional[str] = None,
        target: Optional[str] = None,
        due_from: Optional[Moment] = None,
        due_to: Optional[Moment] = None,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> models.TaskPage:
        """A page of dead letters. Role: read. `GET /v1/dead`"""
        return await self._run(
            self._core.call(
                operations.LIST_DEAD,
                query=some({
                    "group": group,
                    "target": target,
                    "due_from": due_from,
                    "due_to": due_to,
                    "limit": limit,
                    "cursor": cursor,
                }),
                read=models.TaskPage.from_json,
            )
        )

    def iter_dead(
        self,
        *,
        group: Optional[str] = None,
        target: Optional[str] = None,
        due_from: Optional[Moment] = None,
        due_to: Optional[Moment] = None,
        limit: Optional[int] = None,
    ) -> AsyncIterator[models.Task]:
        """What `list_dead` lists, from all pages."""
        page = partial(
            self.list_dead,
            group=group,
            target=target,
            due_from=due_from,
            due_to=due_to,
            limit=limit,
        )
        return self._items(page, "tasks")

    async def redrive_all_dead(
        self,
        *,
        group: Optional[str] = None,
        target: Optional[str] = None,
        due_from: Optional[Moment] = None,
        due_to: Optional[Moment] = None,
        operation: Optional[str] = None,
    ) -> models.RedriveAllDeadResult:
        """Push dead letters again. Role: write. `POST /v1/dead:redrive`"""
        return await self._run(
            self._core.call(
                operations.REDRIVE_ALL_DEAD,
                body=some({
                    "group": group,
                    "target": target,
                    "due_from": due_from,
                    "due_to": due_to,
                    "operation": operation,
                }),
                read=models.RedriveAllDeadResult.from_json,
            )
        )

    async def purge_dead(
        self,
        *,
        group: Optional[str] = None,
        target: Optional[str] = None,
        due_from: Optional[Moment] = None,
        due_to: Optional[Moment] = None,
    ) -> models.PurgeDeadResult:
        """Delete dead letters. Role: write. `POST /v1/dead:purge`"""
        return await self._run(
            self._core.call(
                operations.PURGE_DEAD,
                body=some({"group": group, "target": target, "due_from": due_from, "due_to": due_to}),
                read=models.PurgeDeadResult.from_json,
            )
        )

    async def get_dead(self, id: str) -> models.Task:
        """A dead letter. Role: read. `GET /v1/dead/{id}`"""
        return await self._run(self._core.call(operations.GET_DEAD, (id,), read=models.Task.from_json))

    async def delete_dead(self, id: str) -> None:
        """Delete a dead letter. Role: write. `DELETE /v1/dead/{id}`"""
        return await self._run(self._core.call(operations.DELETE_DEAD, (id,)))

    async def redrive_dead(self, id: str, *, operation: Optional[str] = None) -> models.Task:
        """Push a dead letter again. Role: write. `POST /v1/dead/{id}:redrive`"""
        return await self._run(
            self._core.call(
                operations.REDRIVE_DEAD,
                (id,),
                body=some({"operation": operation}),
                read=models.Task.from_json,
            )
        )

    async def get_cluster(self) -> models.Cluster:
        """The cluster. Its nodes, and who owns and follows which shard, as the node that is asked knows it.
        Role: read. 404 on a server that is of no cluster. `GET /v1/cluster`
        """
        return await self._run(self._core.call(operations.GET_CLUSTER, read=models.Cluster.from_json))

    async def drain_node(self, node: str) -> models.DrainNodeResult:
        """Drain a node. The node gives its shards to others, one by one, and takes none until it is started
        anew. Answered when it has heard. Role: admin. `POST /v1/cluster/nodes/{node}:drain`
        """
        return await self._run(
            self._core.call(operations.DRAIN_NODE, (node,), read=models.DrainNodeResult.from_json)
        )

    async def get_health(self) -> models.GetHealthResult:
        """Whether the process lives. No token is needed, nor that the server is ready. `GET /healthz`"""
        return await self._run(self._core.call(operations.GET_HEALTH, read=models.GetHealthResult.from_json))

    async def get_readiness(self) -> models.GetReadinessResult:
        """Whether it serves. 503 says why not: recovering, draining, storage failed. `GET /readyz`"""
        return await self._run(
            self._core.call(operations.GET_READINESS, read=models.GetReadinessResult.from_json)
        )

    async def get_metrics(self) -> str:
        """Metrics for Prometheus. Role: read. `GET /metrics`"""
        return await self._run(self._core.call(operations.GET_METRICS))

    async def get_open_api(self) -> Dict[str, Any]:
        """This document. No token is needed, nor that the server is ready. `GET /openapi.json`"""
        return await self._run(self._core.call(operations.GET_OPEN_API))

    async def get_stats(self) -> models.Stats:
        """Counts, backlog, lateness, storage, memory. Role: read. `GET /v1/stats`"""
        return await self._run(self._core.call(operations.GET_STATS, read=models.Stats.from_json))

    async def get_sender(self) -> models.Sender:
        """What the sender may do. Role: read. Without tokens everybody is `admin`. `GET /v1/whoami`"""
        return await self._run(self._core.call(operations.GET_SENDER, read=models.Sender.from_json))

    async def get_wheel(self) -> models.Wheel:
        """Levels of the timing wheel. Role: read. `GET /v1/wheel`"""
        return await self._run(self._core.call(operations.GET_WHEEL, read=models.Wheel.from_json))

    async def get_forecast(
        self,
        *,
        bucket: Optional[Duration] = None,
        from_: Optional[Moment] = None,
        to: Optional[Moment] = None,
        target: Optional[str] = None,
        lane: Optional[str] = None,
    ) -> models.Forecast:
        """How many tasks are due when. Role: read. `GET /v1/forecast`"""
        return await self._run(
            self._core.call(
                operations.GET_FORECAST,
                query=some({"bucket": bucket, "from": from_, "to": to, "target": target, "lane": lane}),
                read=models.Forecast.from_json,
            )
        )

    async def get_history(
        self,
        *,
        from_: Optional[Moment] = None,
        to: Optional[Moment] = None,
        step: Optional[Duration] = None,
    ) -> models.History:
        """Key figures of the last 24 hours. Role: read. `GET /v1/history`"""
        return await self._run(
            self._core.call(
                operations.GET_HISTORY,
                query=some({"from": from_, "to": to, "step": step}),
                read=models.History.from_json,
            )
        )

    async def list_alarms(self) -> models.AlarmList:
        """Alarms that are open. Role: read. `GET /v1/alarms`"""
        return await self._run(self._core.call(operations.LIST_ALARMS, read=models.AlarmList.from_json))

    async def list_audit(self, *, limit: Optional[int] = None) -> models.AuditList:
        """Who changed settings or many tasks at once. Role: read. `GET /v1/audit`"""
        return await self._run(
            self._core.call(
                operations.LIST_AUDIT,
                query=some({"limit": limit}),
                read=models.AuditList.from_json,
            )
        )

    async def make_checkpoint(self, *, dir: str) -> models.MakeCheckpointResult:
        """A consistent copy of the data directory. Role: admin. `POST /v1/admin/checkpoint`"""
        return await self._run(
            self._core.call(
                operations.MAKE_CHECKPOINT,
                body=some({"dir": dir}),
                read=models.MakeCheckpointResult.from_json,
            )
        )

    async def advance_clock(self, *, by: Duration) -> models.AdvanceClockResult:
        """Move the manual clock. Only with --clock manual. Role: admin. `POST /v1/clock:advance`"""
        return await self._run(
            self._core.call(
                operations.ADVANCE_CLOCK,
                body=some({"by": by}),
                read=models.AdvanceClockResult.from_json,
            )
        )
