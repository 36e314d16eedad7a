// Made by clients/generate.py from api/openapi.json.

import type { CallOptions, Input, Operation } from "./transport.js";
import type {
  AdvanceClockParams,
  AdvanceClockResult,
  AlarmList,
  AuditList,
  CancelGroupParams,
  CancelGroupResult,
  CancelTaskParams,
  Cancelled,
  Cluster,
  DeadFilter,
  DeadRedrive,
  DeleteTargetParams,
  DrainNodeResult,
  Explanation,
  Forecast,
  GetForecastParams,
  GetHealthResult,
  GetHistoryParams,
  GetReadinessResult,
  Group,
  History,
  Lane,
  LaneList,
  LaneSettings,
  ListAuditParams,
  ListDeadParams,
  ListTargetsParams,
  ListTargetsResult,
  ListTasksParams,
  MakeCheckpointParams,
  MakeCheckpointResult,
  NewTask,
  PurgeDeadResult,
  RedriveAllDeadResult,
  RedriveDeadParams,
  Sender,
  ShiftGroupParams,
  ShiftGroupResult,
  Stats,
  Target,
  TargetChange,
  TargetSettings,
  Task,
  TaskChange,
  TaskPage,
  TestTargetResult,
  Timeline,
  Wheel,
} from "./models.js";

export const operations = {
  createTask: { name: "createTask", method: "POST", path: "/v1/tasks", repeatable: true, names: "id" },
  listTasks: { name: "listTasks", method: "GET", path: "/v1/tasks", repeatable: true },
  getTask: { name: "getTask", method: "GET", path: "/v1/tasks/{id}", repeatable: true },
  changeTask: { name: "changeTask", method: "PATCH", path: "/v1/tasks/{id}", repeatable: true },
  cancelTask: { name: "cancelTask", method: "DELETE", path: "/v1/tasks/{id}", repeatable: true },
  explainTask: { name: "explainTask", method: "GET", path: "/v1/tasks/{id}/explain", repeatable: true },
  getTimeline: { name: "getTimeline", method: "GET", path: "/v1/tasks/{id}/timeline", repeatable: true },
  pushTask: { name: "pushTask", method: "POST", path: "/v1/tasks/{id}:push", repeatable: true },
  createTasks: { name: "createTasks", method: "POST", path: "/v1/tasks:batchCreate", repeatable: true },
  cancelTasks: { name: "cancelTasks", method: "POST", path: "/v1/tasks:batchCancel", repeatable: true },
  getGroup: { name: "getGroup", method: "GET", path: "/v1/groups/{group}", repeatable: true },
  cancelGroup: { name: "cancelGroup", method: "POST", path: "/v1/groups/{group}:cancel", repeatable: true, names: "operation" },
  shiftGroup: { name: "shiftGroup", method: "POST", path: "/v1/groups/{group}:shift", repeatable: true, names: "operation" },
  listTargets: { name: "listTargets", method: "GET", path: "/v1/targets", repeatable: true },
  getTarget: { name: "getTarget", method: "GET", path: "/v1/targets/{name}", repeatable: true },
  putTarget: { name: "putTarget", method: "PUT", path: "/v1/targets/{name}", repeatable: true },
  changeTarget: { name: "changeTarget", method: "PATCH", path: "/v1/targets/{name}", repeatable: true },
  deleteTarget: { name: "deleteTarget", method: "DELETE", path: "/v1/targets/{name}", repeatable: true },
  pauseTarget: { name: "pauseTarget", method: "POST", path: "/v1/targets/{name}:pause", repeatable: true },
  resumeTarget: { name: "resumeTarget", method: "POST", path: "/v1/targets/{name}:resume", repeatable: true },
  testTarget: { name: "testTarget", method: "POST", path: "/v1/targets/{name}:test", repeatable: false },
  listLanes: { name: "listLanes", method: "GET", path: "/v1/lanes", repeatable: true },
  getLane: { name: "getLane", method: "GET", path: "/v1/lanes/{name}", repeatable: true },
  putLane: { name: "putLane", method: "PUT", path: "/v1/lanes/{name}", repeatable: true },
  deleteLane: { name: "deleteLane", method: "DELETE", path: "/v1/lanes/{name}", repeatable: true },
  listDead: { name: "listDead", method: "GET", path: "/v1/dead", repeatable: true },
  redriveAllDead: { name: "redriveAllDead", method: "POST", path: "/v1/dead:redrive", repeatable: true, names: "operation" },
  purgeDead: { name: "purgeDead", method: "POST", path: "/v1/dead:purge", repeatable: false },
  getDead: { name: "getDead", method: "GET", path: "/v1/dead/{id}", repeatable: true },
  deleteDead: { name: "deleteDead", method: "DELETE", path: "/v1/dead/{id}", repeatable: true },
  redriveDead: { name: "redriveDead", method: "POST", path: "/v1/dead/{id}:redrive", repeatable: true, names: "operation" },
  getCluster: { name: "getCluster", method: "GET", path: "/v1/cluster", repeatable: true },
  drainNode: { name: "drainNode", method: "POST", path: "/v1/cluster/nodes/{node}:drain", repeatable: true },
  getHealth: { name: "getHealth", method: "GET", path: "/healthz", repeatable: true },
  getReadiness: { name: "getReadiness", method: "GET", path: "/readyz", repeatable: true },
  getMetrics: { name: "getMetrics", method: "GET", path: "/metrics", repeatable: true },
  getOpenApi: { name: "getOpenApi", method: "GET", path: "/openapi.json", repeatable: true },
  getStats: { name: "getStats", method: "GET", path: "/v1/stats", repeatable: true },
  getSender: { name: "getSender", method: "GET", path: "/v1/whoami", repeatable: true },
  getWheel: { name: "getWheel", method: "GET", path: "/v1/wheel", repeatable: true },
  getForecast: { name: "getForecast", method: "GET", path: "/v1/forecast", repeatable: true },
  getHistory: { name: "getHistory", method: "GET", path: "/v1/history", repeatable: true },
  listAlarms: { name: "listAlarms", method: "GET", path: "/v1/alarms", repeatable: true },
  listAudit: { name: "listAudit", method: "GET", path: "/v1/audit", repeatable: true },
  exportTasks: { name: "exportTasks", method: "GET", path: "/v1/export", repeatable: true },
  makeCheckpoint: { name: "makeCheckpoint", method: "POST", path: "/v1/admin/checkpoint", repeatable: false },
  advanceClock: { name: "advanceClock", method: "POST", path: "/v1/clock:advance", repeatable: false },
} satisfies Record<string, Operation>;

/** A method for each operation of the API. */
export abstract class Calls {
  protected abstract call<T>(operation: Operation, input: Input, options?: CallOptions): Promise<T>;

  /** The items of one page after the other. */
  protected abstract items<T>(
    page: (cursor: string | undefined) => Promise<{ items: T[]; next_cursor?: string; silent_shards?: number[] }>,
  ): AsyncGenerator<T, void, undefined>;

  /** Schedule a task. Role: write. `POST /v1/tasks` */
  createTask(params: NewTask, options?: CallOptions): Promise<Task> {
    return this.call(operations.createTask, { body: params }, options);
  }

  /** A page of tasks in due order. Role: read. `GET /v1/tasks` */
  listTasks(params: ListTasksParams = {}, options?: CallOptions): Promise<TaskPage> {
    return this.call(operations.listTasks, { query: params }, options);
  }

  /** What `listTasks` lists, from all pages. */
  iterateTasks(params: ListTasksParams = {}, options?: CallOptions): AsyncGenerator<Task, void, undefined> {
    return this.items(async (cursor) => {
      const { tasks: items, ...rest } = await this.listTasks(cursor === undefined ? params : { ...params, cursor }, options);
      return { items, ...rest };
    });
  }

  /** A task. Role: read. `GET /v1/tasks/{id}` */
  getTask(id: string, options?: CallOptions): Promise<Task> {
    return this.call(operations.getTask, { path: [id] }, options);
  }

  /** Move or change a task, atomically. Role: write. `PATCH /v1/tasks/{id}` */
  changeTask(id: string, params: TaskChange, options?: CallOptions): Promise<Task> {
    return this.call(operations.changeTask, { path: [id], body: params }, options);
  }

  /** Cancel a task. Role: write. `DELETE /v1/tasks/{id}` */
  cancelTask(id: string, params: CancelTaskParams = {}, options?: CallOptions): Promise<Cancelled> {
    return this.call(operations.cancelTask, { path: [id], query: params }, options);
  }

  /** Why a task has not been pushed yet. Role: read. `GET /v1/tasks/{id}/explain` */
  explainTask(id: string, options?: CallOptions): Promise<Explanation> {
    return this.call(operations.explainTask, { path: [id] }, options);
  }

  /** What happened to a task, in order. Role: read. `GET /v1/tasks/{id}/timeline` */
  getTimeline(id: string, options?: CallOptions): Promise<Timeline> {
    return this.call(operations.getTimeline, { path: [id] }, options);
  }

  /** Make a waiting task due now. Role: write. `POST /v1/tasks/{id}:push` */
  pushTask(id: string, options?: CallOptions): Promise<Task> {
    return this.call(operations.pushTask, { path: [id] }, options);
  }

  /** A group's tasks, counted. Role: read. `GET /v1/groups/{group}` */
  getGroup(group: string, options?: CallOptions): Promise<Group> {
    return this.call(operations.getGroup, { path: [group] }, options);
  }

  /** Cancel all that waits in a group. Role: write. `POST /v1/groups/{group}:cancel` */
  cancelGroup(group: string, params: CancelGroupParams = {}, options?: CallOptions): Promise<CancelGroupResult> {
    return this.call(operations.cancelGroup, { path: [group], body: params }, options);
  }

  /** Move all that waits in a group. Role: write. `POST /v1/groups/{group}:shift` */
  shiftGroup(group: string, params: ShiftGroupParams, options?: CallOptions): Promise<ShiftGroupResult> {
    return this.call(operations.shiftGroup, { path: [group], body: params }, options);
  }

  /** All targets. Role: read. A page of them by name. `GET /v1/targets` */
  listTargets(params: ListTargetsParams = {}, options?: CallOptions): Promise<ListTargetsResult> {
    return this.call(operations.listTargets, { query: params }, options);
  }

  /** What `listTargets` lists, from all pages. */
  iterateTargets(params: ListTargetsParams = {}, options?: CallOptions): AsyncGenerator<Target, void, undefined> {
    return this.items(async (cursor) => {
      const { targets: items, ...rest } = await this.listTargets(cursor === undefined ? params : { ...params, cursor }, options);
      return { items, ...rest };
    });
  }

  /** A target. Role: read. `GET /v1/targets/{name}` */
  getTarget(name: string, options?: CallOptions): Promise<Target> {
    return this.call(operations.getTarget, { path: [name] }, options);
  }

  /**
   * Make or change a target. Role: admin. Takes what an answer shows. A hidden secret or header value
   * (`whsec_***`, `***`) keeps what is stored, as does leaving out `secrets` or `paused`; `"secrets": []`
   * removes them. 422 `secret_needed` if what is kept would go to another host or port; 422 `unusable_file`
   * if a file of `tls` cannot be used. `PUT /v1/targets/{name}`
   */
  putTarget(name: string, params: TargetSettings, options?: CallOptions): Promise<Target> {
    return this.call(operations.putTarget, { path: [name], body: params }, options);
  }

  /**
   * Change what is named of a target. Role: admin. JSON merge patch (RFC 7396): what is left out stays, null
   * puts the default back. `PATCH /v1/targets/{name}`
   */
  changeTarget(name: string, params: TargetChange, options?: CallOptions): Promise<Target> {
    return this.call(operations.changeTarget, { path: [name], body: params }, options);
  }

  /** Delete a target. Role: admin. `DELETE /v1/targets/{name}` */
  deleteTarget(name: string, params: DeleteTargetParams = {}, options?: CallOptions): Promise<void> {
    return this.call(operations.deleteTarget, { path: [name], query: params }, options);
  }

  /** Hold back a target's pushes. Role: admin. `POST /v1/targets/{name}:pause` */
  pauseTarget(name: string, options?: CallOptions): Promise<Target> {
    return this.call(operations.pauseTarget, { path: [name] }, options);
  }

  /** Push to a target again. Role: admin. `POST /v1/targets/{name}:resume` */
  resumeTarget(name: string, options?: CallOptions): Promise<Target> {
    return this.call(operations.resumeTarget, { path: [name] }, options);
  }

  /**
   * Push a test task to a target. Role: admin. The task is stored nowhere. 200 also where the receiver fails;
   * it takes as long as the push, at most the timeout of the target. `POST /v1/targets/{name}:test`
   */
  testTarget(name: string, options?: CallOptions): Promise<TestTargetResult> {
    return this.call(operations.testTarget, { path: [name] }, options);
  }

  /** All lanes. Role: read. `GET /v1/lanes` */
  listLanes(options?: CallOptions): Promise<LaneList> {
    return this.call(operations.listLanes, {}, options);
  }

  /** A lane. Role: read. `GET /v1/lanes/{name}` */
  getLane(name: string, options?: CallOptions): Promise<Lane> {
    return this.call(operations.getLane, { path: [name] }, options);
  }

  /**
   * Make or change a lane. Role: admin. What is left out gets its default. 422 `too_many_lanes` beyond 16,
   * 422 `too_much_reserved` where all lanes together would reserve more than 0.9. `PUT /v1/lanes/{name}`
   */
  putLane(name: string, params: LaneSettings, options?: CallOptions): Promise<Lane> {
    return this.call(operations.putLane, { path: [name], body: params }, options);
  }

  /**
   * Delete a lane. Role: admin. 409 `lane_in_use` while unfinished tasks name it, and for `default`, which
   * exists always. `DELETE /v1/lanes/{name}`
   */
  deleteLane(name: string, options?: CallOptions): Promise<void> {
    return this.call(operations.deleteLane, { path: [name] }, options);
  }

  /** A page of dead letters. Role: read. `GET /v1/dead` */
  listDead(params: ListDeadParams = {}, options?: CallOptions): Promise<TaskPage> {
    return this.call(operations.listDead, { query: params }, options);
  }

  /** What `listDead` lists, from all pages. */
  iterateDead(params: ListDeadParams = {}, options?: CallOptions): AsyncGenerator<Task, void, undefined> {
    return this.items(async (cursor) => {
      const { tasks: items, ...rest } = await this.listDead(cursor === undefined ? params : { ...params, cursor }, options);
      return { items, ...rest };
    });
  }

  /** Push dead letters again. Role: write. `POST /v1/dead:redrive` */
  redriveAllDead(params: DeadRedrive = {}, options?: CallOptions): Promise<RedriveAllDeadResult> {
    return this.call(operations.redriveAllDead, { body: params }, options);
  }

  /** Delete dead letters. Role: write. `POST /v1/dead:purge` */
  purgeDead(params: DeadFilter = {}, options?: CallOptions): Promise<PurgeDeadResult> {
    return this.call(operations.purgeDead, { body: params }, options);
  }

  /** A dead letter. Role: read. `GET /v1/dead/{id}` */
  getDead(id: string, options?: CallOptions): Promise<Task> {
    return this.call(operations.getDead, { path: [id] }, options);
  }

  /** Delete a dead letter. Role: write. `DELETE /v1/dead/{id}` */
  deleteDead(id: string, options?: CallOptions): Promise<void> {
    return this.call(operations.deleteDead, { path: [id] }, options);
  }

  /** Push a dead letter again. Role: write. `POST /v1/dead/{id}:redrive` */
  redriveDead(id: string, params: RedriveDeadParams = {}, options?: CallOptions): Promise<Task> {
    return this.call(operations.redriveDead, { path: [id], body: params }, options);
  }

  /**
   * The cluster. Its nodes, and who owns and follows which shard, as the node that is asked knows it. Role:
   * read. 404 on a server that is of no cluster. `GET /v1/cluster`
   */
  getCluster(options?: CallOptions): Promise<Cluster> {
    return this.call(operations.getCluster, {}, options);
  }

  /**
   * Drain a node. The node gives its shards to others, one by one, and takes none until it is started anew.
   * Answered when it has heard. Role: admin. `POST /v1/cluster/nodes/{node}:drain`
   */
  drainNode(node: string, options?: CallOptions): Promise<DrainNodeResult> {
    return this.call(operations.drainNode, { path: [node] }, options);
  }

  /** Whether the process lives. No token is needed, nor that the server is ready. `GET /healthz` */
  getHealth(options?: CallOptions): Promise<GetHealthResult> {
    return this.call(operations.getHealth, {}, options);
  }

  /** Whether it serves. 503 says why not: recovering, draining, storage failed. `GET /readyz` */
  getReadiness(options?: CallOptions): Promise<GetReadinessResult> {
    return this.call(operations.getReadiness, {}, options);
  }

  /** Metrics for Prometheus. Role: read. `GET /metrics` */
  getMetrics(options?: CallOptions): Promise<string> {
    return this.call(operations.getMetrics, {}, options);
  }

  /** This document. No token is needed, nor that the server is ready. `GET /openapi.json` */
  getOpenApi(options?: CallOptions): Promise<Record<string, unknown>> {
    return this.call(operations.getOpenApi, {}, options);
  }

  /** Counts, backlog, lateness, storage, memory. Role: read. `GET /v1/stats` */
  getStats(options?: CallOptions): Promise<Stats> {
    return this.call(operations.getStats, {}, options);
  }

  /** What the sender may do. Role: read. Without tokens everybody is `admin`. `GET /v1/whoami` */
  getSender(options?: CallOptions): Promise<Sender> {
    return this.call(operations.getSender, {}, options);
  }

  /** Levels of the timing wheel. Role: read. `GET /v1/wheel` */
  getWheel(options?: CallOptions): Promise<Wheel> {
    return this.call(operations.getWheel, {}, options);
  }

  /** How many tasks are due when. Role: read. `GET /v1/forecast` */
  getForecast(params: GetForecastParams = {}, options?: CallOptions): Promise<Forecast> {
    return this.call(operations.getForecast, { query: params }, options);
  }

  /** Key figures of the last 24 hours. Role: read. `GET /v1/history` */
  getHistory(params: GetHistoryParams = {}, options?: CallOptions): Promise<History> {
    return this.call(operations.getHistory, { query: params }, options);
  }

  /** Alarms that are open. Role: read. `GET /v1/alarms` */
  listAlarms(options?: CallOptions): Promise<AlarmList> {
    return this.call(operations.listAlarms, {}, options);
  }

  /** Who changed settings or many tasks at once. Role: read. `GET /v1/audit` */
  listAudit(params: ListAuditParams = {}, options?: CallOptions): Promise<AuditList> {
    return this.call(operations.listAudit, { query: params }, options);
  }

  /** A consistent copy of the data directory. Role: admin. `POST /v1/admin/checkpoint` */
  makeCheckpoint(params: MakeCheckpointParams, options?: CallOptions): Promise<MakeCheckpointResult> {
    return this.call(operations.makeCheckpoint, { body: params }, options);
  }

  /** Move the manual clock. Only with --clock manual. Role: admin. `POST /v1/clock:advance` */
  advanceClock(params: AdvanceClockParams, options?: CallOptions): Promise<AdvanceClockResult> {
    return this.call(operations.advanceClock, { body: params }, options);
  }
}
