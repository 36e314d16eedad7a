// Made by clients/generate.py from api/openapi.json.
package io.carillon.client;

import io.carillon.client.json.JsonObject;
import io.carillon.client.model.*;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;

/** A method for each operation of the API. */
public abstract class Calls {
  Calls() {}

  abstract <T> T call(Operation operation, List<String> path, Object params, Function<Object, T> reader);

  abstract <T> Stream<T> items(Function<String, Page<T>> page);

  /** Schedule a task. Role: write. {@code POST /v1/tasks} */
  public Task createTask(NewTask params) {
    return call(Operation.CREATE_TASK, List.of(), params, Task::of);
  }

  /** A page of tasks in due order. Role: read. {@code GET /v1/tasks} */
  public TaskPage listTasks(ListTasksParams params) {
    return call(Operation.LIST_TASKS, List.of(), params, TaskPage::of);
  }

  /** A page of tasks in due order. Role: read. {@code GET /v1/tasks} */
  public TaskPage listTasks() {
    return listTasks(ListTasksParams.builder().build());
  }

  /** What {@code listTasks} lists, from all pages; each page is read when it is reached. */
  public Stream<Task> streamTasks(ListTasksParams params) {
    return items(cursor -> {
      var page = listTasks(cursor == null ? params : ListTasksParams.builder().from(params).cursor(cursor).build());
      return new Page<>(page.tasks(), page.nextCursor(), page.json().get("silent_shards"));
    });
  }

  /** A task. Role: read. {@code GET /v1/tasks/id} */
  public Task getTask(String id) {
    return call(Operation.GET_TASK, List.of(id), null, Task::of);
  }

  /** Move or change a task, atomically. Role: write. {@code PATCH /v1/tasks/id} */
  public Task changeTask(String id, TaskChange params) {
    return call(Operation.CHANGE_TASK, List.of(id), params, Task::of);
  }

  /** Cancel a task. Role: write. {@code DELETE /v1/tasks/id} */
  public Cancelled cancelTask(String id, CancelTaskParams params) {
    return call(Operation.CANCEL_TASK, List.of(id), params, Cancelled::of);
  }

  /** Cancel a task. Role: write. {@code DELETE /v1/tasks/id} */
  public Cancelled cancelTask(String id) {
    return cancelTask(id, CancelTaskParams.builder().build());
  }

  /** Why a task has not been pushed yet. Role: read. {@code GET /v1/tasks/id/explain} */
  public Explanation explainTask(String id) {
    return call(Operation.EXPLAIN_TASK, List.of(id), null, Explanation::of);
  }

  /** What happened to a task, in order. Role: read. {@code GET /v1/tasks/id/timeline} */
  public Timeline getTimeline(String id) {
    return call(Operation.GET_TIMELINE, List.of(id), null, Timeline::of);
  }

  /** Make a waiting task due now. Role: write. {@code POST /v1/tasks/id:push} */
  public Task pushTask(String id) {
    return call(Operation.PUSH_TASK, List.of(id), null, Task::of);
  }

  /** A group's tasks, counted. Role: read. {@code GET /v1/groups/group} */
  public Group getGroup(String group) {
    return call(Operation.GET_GROUP, List.of(group), null, Group::of);
  }

  /** Cancel all that waits in a group. Role: write. {@code POST /v1/groups/group:cancel} */
  public CancelGroupResult cancelGroup(String group, CancelGroupParams params) {
    return call(Operation.CANCEL_GROUP, List.of(group), params, CancelGroupResult::of);
  }

  /** Cancel all that waits in a group. Role: write. {@code POST /v1/groups/group:cancel} */
  public CancelGroupResult cancelGroup(String group) {
    return cancelGroup(group, CancelGroupParams.builder().build());
  }

  /** Move all that waits in a group. Role: write. {@code POST /v1/groups/group:shift} */
  public ShiftGroupResult shiftGroup(String group, ShiftGroupParams params) {
    return call(Operation.SHIFT_GROUP, List.of(group), params, ShiftGroupResult::of);
  }

  /** Move all that waits in a group. Role: write. {@code POST /v1/groups/group:shift} */
  public ShiftGroupResult shiftGroup(String group, Duration by) {
    return shiftGroup(group, ShiftGroupParams.builder().by(by).build());
  }

  /** All targets. Role: read. A page of them by name. {@code GET /v1/targets} */
  public ListTargetsResult listTargets(ListTargetsParams params) {
    return call(Operation.LIST_TARGETS, List.of(), params, ListTargetsResult::of);
  }

  /** All targets. Role: read. A page of them by name. {@code GET /v1/targets} */
  public ListTargetsResult listTargets() {
    return listTargets(ListTargetsParams.builder().build());
  }

  /** What {@code listTargets} lists, from all pages; each page is read when it is reached. */
  public Stream<Target> streamTargets(ListTargetsParams params) {
    return items(cursor -> {
      var page = listTargets(cursor == null ? params : ListTargetsParams.builder().from(params).cursor(cursor).build());
      return new Page<>(page.targets(), page.nextCursor(), page.json().get("silent_shards"));
    });
  }

  /** A target. Role: read. {@code GET /v1/targets/name} */
  public Target getTarget(String name) {
    return call(Operation.GET_TARGET, List.of(name), null, Target::of);
  }

  /**
   * Make or change a target. Role: admin. Takes what an answer shows. A hidden secret or header value
   * (`whsec_***`, `***`) keeps what is stored, as does leaving out `secrets` or `paused`; `"secrets": []`
   * removes them. 422 `secret_needed` if what is kept would go to another host or port; 422 `unusable_file`
   * if a file of `tls` cannot be used. {@code PUT /v1/targets/name}
   */
  public Target putTarget(String name, TargetSettings params) {
    return call(Operation.PUT_TARGET, List.of(name), params, Target::of);
  }

  /**
   * Change what is named of a target. Role: admin. JSON merge patch (RFC 7396): what is left out stays, null
   * puts the default back. {@code PATCH /v1/targets/name}
   */
  public Target changeTarget(String name, TargetChange params) {
    return call(Operation.CHANGE_TARGET, List.of(name), params, Target::of);
  }

  /** Delete a target. Role: admin. {@code DELETE /v1/targets/name} */
  public void deleteTarget(String name, DeleteTargetParams params) {
    call(Operation.DELETE_TARGET, List.of(name), params, answer -> answer);
  }

  /** Delete a target. Role: admin. {@code DELETE /v1/targets/name} */
  public void deleteTarget(String name) {
    deleteTarget(name, DeleteTargetParams.builder().build());
  }

  /** Hold back a target's pushes. Role: admin. {@code POST /v1/targets/name:pause} */
  public Target pauseTarget(String name) {
    return call(Operation.PAUSE_TARGET, List.of(name), null, Target::of);
  }

  /** Push to a target again. Role: admin. {@code POST /v1/targets/name:resume} */
  public Target resumeTarget(String name) {
    return call(Operation.RESUME_TARGET, List.of(name), null, Target::of);
  }

  /**
   * Push a test task to a target. Role: admin. The task is stored nowhere. 200 also where the receiver fails;
   * it takes as long as the push, at most the timeout of the target. {@code POST /v1/targets/name:test}
   */
  public TestTargetResult testTarget(String name) {
    return call(Operation.TEST_TARGET, List.of(name), null, TestTargetResult::of);
  }

  /** All lanes. Role: read. {@code GET /v1/lanes} */
  public LaneList listLanes() {
    return call(Operation.LIST_LANES, List.of(), null, LaneList::of);
  }

  /** A lane. Role: read. {@code GET /v1/lanes/name} */
  public Lane getLane(String name) {
    return call(Operation.GET_LANE, List.of(name), null, Lane::of);
  }

  /**
   * Make or change a lane. Role: admin. What is left out gets its default. 422 `too_many_lanes` beyond 16,
   * 422 `too_much_reserved` where all lanes together would reserve more than 0.9. {@code PUT /v1/lanes/name}
   */
  public Lane putLane(String name, LaneSettings params) {
    return call(Operation.PUT_LANE, List.of(name), params, Lane::of);
  }

  /**
   * Delete a lane. Role: admin. 409 `lane_in_use` while unfinished tasks name it, and for `default`, which
   * exists always. {@code DELETE /v1/lanes/name}
   */
  public void deleteLane(String name) {
    call(Operation.DELETE_LANE, List.of(name), null, answer -> answer);
  }

  /** A page of dead letters. Role: read. {@code GET /v1/dead} */
  public TaskPage listDead(ListDeadParams params) {
    return call(Operation.LIST_DEAD, List.of(), params, TaskPage::of);
  }

  /** A page of dead letters. Role: read. {@code GET /v1/dead} */
  public TaskPage listDead() {
    return listDead(ListDeadParams.builder().build());
  }

  /** What {@code listDead} lists, from all pages; each page is read when it is reached. */
  public Stream<Task> streamDead(ListDeadParams params) {
    return items(cursor -> {
      var page = listDead(cursor == null ? params : ListDeadParams.builder().from(params).cursor(cursor).build());
      return new Page<>(page.tasks(), page.nextCursor(), page.json().get("silent_shards"));
    });
  }

  /** Push dead letters again. Role: write. {@code POST /v1/dead:redrive} */
  public RedriveAllDeadResult redriveAllDead(DeadRedrive params) {
    return call(Operation.REDRIVE_ALL_DEAD, List.of(), params, RedriveAllDeadResult::of);
  }

  /** Push dead letters again. Role: write. {@code POST /v1/dead:redrive} */
  public RedriveAllDeadResult redriveAllDead() {
    return redriveAllDead(DeadRedrive.builder().build());
  }

  /** Delete dead letters. Role: write. {@code POST /v1/dead:purge} */
  public PurgeDeadResult purgeDead(DeadFilter params) {
    return call(Operation.PURGE_DEAD, List.of(), params, PurgeDeadResult::of);
  }

  /** Delete dead letters. Role: write. {@code POST /v1/dead:purge} */
  public PurgeDeadResult purgeDead() {
    return purgeDead(DeadFilter.builder().build());
  }

  /** A dead letter. Role: read. {@code GET /v1/dead/id} */
  public Task getDead(String id) {
    return call(Operation.GET_DEAD, List.of(id), null, Task::of);
  }

  /** Delete a dead letter. Role: write. {@code DELETE /v1/dead/id} */
  public void deleteDead(String id) {
    call(Operation.DELETE_DEAD, List.of(id), null, answer -> answer);
  }

  /** Push a dead letter again. Role: write. {@code POST /v1/dead/id:redrive} */
  public Task redriveDead(String id, RedriveDeadParams params) {
    return call(Operation.REDRIVE_DEAD, List.of(id), params, Task::of);
  }

  /** Push a dead letter again. Role: write. {@code POST /v1/dead/id:redrive} */
  public Task redriveDead(String id) {
    return redriveDead(id, RedriveDeadParams.builder().build());
  }

  /**
   * The cluster. Its nodes, and who owns and follows which shard, as the node that is asked knows it. Role:
   * read. 404 on a server that is of no cluster. {@code GET /v1/cluster}
   */
  public Cluster getCluster() {
    return call(Operation.GET_CLUSTER, List.of(), null, Cluster::of);
  }

  /**
   * Drain a node. The node gives its shards to others, one by one, and takes none until it is started anew.
   * Answered when it has heard. Role: admin. {@code POST /v1/cluster/nodes/node:drain}
   */
  public DrainNodeResult drainNode(String node) {
    return call(Operation.DRAIN_NODE, List.of(node), null, DrainNodeResult::of);
  }

  /** Whether the process lives. No token is needed, nor that the server is ready. {@code GET /healthz} */
  public GetHealthResult getHealth() {
    return call(Operation.GET_HEALTH, List.of(), null, GetHealthResult::of);
  }

  /** Whether it serves. 503 says why not: recovering, draining, storage failed. {@code GET /readyz} */
  public GetReadinessResult getReadiness() {
    return call(Operation.GET_READINESS, List.of(), null, GetReadinessResult::of);
  }

  /** Metrics for Prometheus. Role: read. {@code GET /metrics} */
  public String getMetrics() {
    return call(Operation.GET_METRICS, List.of(), null, answer -> (String) answer);
  }

  /** This document. No token is needed, nor that the server is ready. {@code GET /openapi.json} */
  public Map<String, Object> getOpenApi() {
    return call(Operation.GET_OPEN_API, List.of(), null, JsonObject::object);
  }

  /** Counts, backlog, lateness, storage, memory. Role: read. {@code GET /v1/stats} */
  public Stats getStats() {
    return call(Operation.GET_STATS, List.of(), null, Stats::of);
  }

  /** What the sender may do. Role: read. Without tokens everybody is `admin`. {@code GET /v1/whoami} */
  public Sender getSender() {
    return call(Operation.GET_SENDER, List.of(), null, Sender::of);
  }

  /** Levels of the timing wheel. Role: read. {@code GET /v1/wheel} */
  public Wheel getWheel() {
    return call(Operation.GET_WHEEL, List.of(), null, Wheel::of);
  }

  /** How many tasks are due when. Role: read. {@code GET /v1/forecast} */
  public Forecast getForecast(GetForecastParams params) {
    return call(Operation.GET_FORECAST, List.of(), params, Forecast::of);
  }

  /** How many tasks are due when. Role: read. {@code GET /v1/forecast} */
  public Forecast getForecast() {
    return getForecast(GetForecastParams.builder().build());
  }

  /** Key figures of the last 24 hours. Role: read. {@code GET /v1/history} */
  public History getHistory(GetHistoryParams params) {
    return call(Operation.GET_HISTORY, List.of(), params, History::of);
  }

  /** Key figures of the last 24 hours. Role: read. {@code GET /v1/history} */
  public History getHistory() {
    return getHistory(GetHistoryParams.builder().build());
  }

  /** Alarms that are open. Role: read. {@code GET /v1/alarms} */
  public AlarmList listAlarms() {
    return call(Operation.LIST_ALARMS, List.of(), null, AlarmList::of);
  }

  /** Who changed settings or many tasks at once. Role: read. {@code GET /v1/audit} */
  public AuditList listAudit(ListAuditParams params) {
    return call(Operation.LIST_AUDIT, List.of(), params, AuditList::of);
  }

  /** Who changed settings or many tasks at once. Role: read. {@code GET /v1/audit} */
  public AuditList listAudit() {
    return listAudit(ListAuditParams.builder().build());
  }

  /** A consistent copy of the data directory. Role: admin. {@code POST /v1/admin/checkpoint} */
  public MakeCheckpointResult makeCheckpoint(MakeCheckpointParams params) {
    return call(Operation.MAKE_CHECKPOINT, List.of(), params, MakeCheckpointResult::of);
  }

  /** A consistent copy of the data directory. Role: admin. {@code POST /v1/admin/checkpoint} */
  public MakeCheckpointResult makeCheckpoint(String dir) {
    return makeCheckpoint(MakeCheckpointParams.builder().dir(dir).build());
  }

  /** Move the manual clock. Only with --clock manual. Role: admin. {@code POST /v1/clock:advance} */
  public AdvanceClockResult advanceClock(AdvanceClockParams params) {
    return call(Operation.ADVANCE_CLOCK, List.of(), params, AdvanceClockResult::of);
  }

  /** Move the manual clock. Only with --clock manual. Role: admin. {@code POST /v1/clock:advance} */
  public AdvanceClockResult advanceClock(Duration by) {
    return advanceClock(AdvanceClockParams.builder().by(by).build());
  }
}
