// Made by clients/generate.py from api/openapi.json.

/** A moment: RFC 3339 with an offset, Unix milliseconds, or a Date. */
export type Moment = string | number | Date;

/** A duration: text such as "90s", "1m30s" or "PT90S", or milliseconds. */
export type Duration = string | number;

export type State = "scheduled" | "firing" | "retrying" | "delivered" | "dead" | "expired" | "cancelled";

export type OnExpire = "drop" | "dead";

export type IfExists = "reject" | "keep" | "replace" | "earliest" | "latest" | "once";

export type WaitingFor = "due" | "retry" | "target_paused" | "target_held" | "target_concurrency" | "target_rate" | "lane" | "capacity" | "catch_up" | "commit" | "batch" | "merge";

export type Event = "created" | "changed" | "moved" | "redriven" | "group_shift" | "group_cancel" | "attempt" | "delivered" | "dead" | "expired" | "cancelled";

export type Outcome = "delivered" | "failed";

export type Kind = "http" | "redis" | "amqp" | "nats" | "kafka";

export type Reason = "too_many_requests" | "unavailable" | "failing";

export type Role = "read" | "write" | "admin";

/**
 * Exponential backoff: the pause doubles and is drawn between half and all of it, never under backoff_min. On
 * a task, what is left out is as its target says.
 */
export interface Retry {
  /** Pushes in all, but for those that the receiver asked to come later. */
  max_attempts?: number;
  /** Default 1s. */
  backoff_min?: Duration;
  /** Default 1h. */
  backoff_max?: Duration;
  /** From the first attempt to the last; default 3d. */
  max_age?: Duration;
}

/** At most `limit` tasks begin in any stretch of `per`, and `burst` more. */
export interface Rate {
  limit: number;
  /** 1ms to 1d; default 1s. */
  per?: Duration;
  /** Default: a twentieth of the limit, at least 1. */
  burst?: number;
}

/** Of kind http: due tasks of one lane go together in one push, as docs/batches.md has it. */
export interface Batch {
  tasks_max?: number;
  /** Of the body of a push, 1KiB to 16MiB; default 1MiB. */
  bytes_max?: string;
  /** How long the first that is due waits for others, 0 to 1m; default 5ms. */
  wait_max?: Duration;
}

/**
 * After so many pushes in a row that fail (no connection, a time-out, 5xx) the target is held for `open_for`,
 * doubled up to `open_max` each time a probe fails.
 */
export interface Breaker {
  /** 0: never. */
  failures?: number;
  /** 1ms to 1d; default 5s. */
  open_for?: Duration;
  /** Up to 1d; default 5m. */
  open_max?: Duration;
}

/**
 * A field that is null is as if it were absent; only a payload that is null, without a body, is the JSON
 * null.
 */
export interface NewTask {
  /** Without it, a UUIDv7 is made. */
  id?: string;
  due_at?: Moment;
  delay?: Duration;
  /** A target's name, or an http(s) URL. */
  target: string;
  /** Any JSON; pushed as application/json exactly as sent. */
  payload?: unknown;
  /** Text to push; instead of payload. */
  body?: string;
  /** Bytes to push; instead of payload. */
  body_base64?: string;
  /** Of body (default text/plain; charset=utf-8) or body_base64 (default application/octet-stream). */
  content_type?: string;
  headers?: Record<string, string>;
  group?: string;
  lane?: string;
  /**
   * Of tasks for targets of amqp, nats and kafka, in the place of the target's routing key or subject, or as
   * the message's key. One of the target's `keys` must allow it; of kafka any is taken.
   */
  key?: string;
  /** Dropped if it could not be pushed within this long after due. */
  expire_after?: Duration;
  /**
   * What becomes of it once `expire_after` is over: `drop`, the default, makes it `expired`, `dead` a dead
   * letter that says so.
   */
  on_expire?: OnExpire;
  /**
   * How long before its due it may be pushed together with another task of the same part of its id (the text
   * in braces), target and lane, which is due no further from it than both allow; up to 1h. 422 `unmergeable`
   * where the id has no such part, or the target is a URL or of a kind that takes each task by itself.
   */
  merge_within?: Duration;
  retry?: Retry;
  /** What to do where the id names another unfinished task. */
  if_exists?: IfExists;
}

/** What is named changes; null removes group, lane, headers, expire_after, merge_within or retry. */
export interface TaskChange {
  due_at?: Moment;
  delay?: Duration;
  /** A target's name, or an http(s) URL. */
  target?: string;
  /** Any JSON; pushed as application/json exactly as sent. */
  payload?: unknown;
  /** Text to push; instead of payload. */
  body?: string;
  /** Bytes to push; instead of payload. */
  body_base64?: string;
  /** Of body (default text/plain; charset=utf-8) or body_base64 (default application/octet-stream). */
  content_type?: string;
  headers?: Record<string, string> | null;
  group?: string | null;
  lane?: string | null;
  key?: string | null;
  expire_after?: Duration | null;
  /**
   * What becomes of it once `expire_after` is over: `drop`, the default, makes it `expired`, `dead` a dead
   * letter that says so. null: `drop`.
   */
  on_expire?: OnExpire | null;
  merge_within?: Duration | null;
  retry?: Retry | null;
}

/** What is not set is left out. */
export interface Task {
  id: string;
  state: State;
  due_at: string;
  created_at: string;
  /** Of a dead letter that was sent again. */
  redriven_at?: string;
  /**
   * A target's name, or an http(s) URL. Its query is shown to the roles write and admin; to others as `***`.
   */
  target: string;
  group?: string;
  lane?: string;
  /**
   * Of tasks for targets of amqp, nats and kafka, in the place of the target's routing key or subject, or as
   * the message's key. One of the target's `keys` must allow it; of kafka any is taken.
   */
  key?: string;
  /** Pushes that have begun. */
  attempt: number;
  next_attempt_at?: string;
  finished_at?: string;
  last_attempt_at?: string;
  /** HTTP status that the receiver answered last. */
  last_status?: number;
  /** Why the last push failed. */
  last_error?: string;
  expire_after?: string;
  /**
   * What becomes of it once `expire_after` is over: `drop`, the default, makes it `expired`, `dead` a dead
   * letter that says so.
   */
  on_expire?: OnExpire;
  /** How long before its due it may be pushed together with another task of the same part of its id. */
  merge_within?: string;
  retry?: Retry;
  /** Any JSON; pushed as application/json exactly as sent. */
  payload?: unknown;
  /** Text to push; instead of payload. */
  body?: string;
  /** Bytes to push; instead of payload. */
  body_base64?: string;
  /** Of body (default text/plain; charset=utf-8) or body_base64 (default application/octet-stream). */
  content_type?: string;
  headers?: Record<string, string>;
}

export interface Explanation {
  state: State;
  /** Left out where it does not wait. */
  waiting_for?: WaitingFor;
  /** For a person. */
  detail: string;
  /** About when it goes, where that can be told. */
  expected_at?: string;
  /** Due tasks of its target and lane before it; of more than 20,000 so many. */
  ahead?: number;
}

export interface Timeline {
  id: string;
  state: State;
  events: TimelineEvent[];
}

export interface TimelineEvent {
  event: Event;
  /** When; of an attempt its start. Absent of moved. */
  at?: string;
  /** Of created and changed: the due that was asked for. Of moved: the one that stands. */
  due_at?: string;
  /** Of moved: the due that was asked for before. */
  from?: string;
  /** Of a group's operation: the token's name, where one was asked for. */
  who?: string;
  /** Of a group's operation: what it was answered. */
  result?: Record<string, unknown>;
  /** Which, from 1. */
  attempt?: number;
  /** Of an attempt: its start minus its due. */
  lateness_ms?: number;
  /** Of an attempt: from its start to the receiver's answer. */
  duration_ms?: number;
  outcome?: Outcome;
  /** Of an attempt: the receiver's; absent where none came. */
  status?: number;
  /** Why an attempt failed. */
  error?: string;
  /** When the attempt after it was due. */
  retry_at?: string;
  /** How long after the end of the attempt that was. */
  pause_ms?: number;
}

export interface TaskPage {
  /** In due order; without payload, body and headers. */
  tasks: Task[];
  /** For the next page; absent on the last. */
  next_cursor?: string;
  silent_shards?: number[];
}

export interface Cancelled {
  id: string;
  /** firing: the attempt under way is the last. */
  state: State;
  /** Pushes of it that had begun; with 0 none ever did. */
  attempts: number;
  /** With state firing. */
  retries?: "cancelled";
}

/** RFC 9457. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string;
  /** The field or parameter at fault. */
  field?: string;
  state?: State;
  attempt?: number;
  at?: string;
}

export interface BatchItem {
  id?: string;
  /** As a single call would have had it. */
  status: number;
  type?: string;
  title?: string;
  detail?: string;
  field?: string;
  state?: State;
  attempt?: number;
  at?: string;
  attempts?: number;
}

export interface BatchCreated {
  /** In the order of the request. */
  results: BatchItem[];
  created: number;
  failed: number;
}

export interface BatchCancelled {
  /** In the order of the request. */
  results: BatchItem[];
  cancelled: number;
  failed: number;
}

export interface Counts {
  scheduled: number;
  firing: number;
  retrying: number;
  delivered: number;
  dead: number;
  expired: number;
  cancelled: number;
}

export interface Group {
  group: string;
  counts: Counts;
  earliest_due?: string;
  latest_due?: string;
}

export interface TargetSettings {
  /** Says which of the other members there are: docs/kinds has a page for each but http. */
  kind?: Kind;
  /**
   * Required but for kafka. Of http: http or https. Of redis: redis://HOST:PORT/DATABASE or rediss. Of amqp:
   * amqp://HOST:PORT/VHOST or amqps. Of nats: nats://HOST:PORT or tls.
   */
  url?: string;
  /** Of amqp: where messages are published; without it, to the default exchange. */
  exchange?: string;
  /** Of amqp: of each message; required without `exchange`, where it names the queue. */
  routing_key?: string;
  /** Of amqp and nats: patterns of keys that tasks may name; `*` stands for any characters. */
  keys?: string[];
  /** Of amqp: whether messages outlive a restart of the broker. */
  persistent?: boolean;
  /** Of amqp: whether a message that no queue takes is a failed attempt. */
  mandatory?: boolean;
  /** Of redis, required: the key of the stream that entries are added to. */
  stream?: string;
  /** Of nats, required: the subject that messages are published to. */
  subject?: string;
  /** Of kafka, required: HOST:PORT of brokers, which name the others. Also taken as one text with commas. */
  brokers?: string[];
  /** Of kafka, required: the topic that messages go to. */
  topic?: string;
  /** Of kafka: whose answer counts: `all` replicas that are in sync, or `1`, the leader's. */
  acks?: string;
  /** Of kafka: how `username` logs in: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. */
  sasl_mechanism?: string;
  /** Of redis: about as many entries of the stream are kept; 0: all. */
  maxlen?: number;
  /** Of redis: how many replicas must have an entry before it counts as delivered. */
  replicas?: number;
  /** Of brokers; goes with one of the three that follow. */
  username?: string;
  /** Of brokers; shown as ***, which keeps the stored one when it is sent back. */
  password?: string;
  /** Of brokers: a file in `secrets_dir` that holds the password; read for each new connection. */
  password_file?: string;
  /** Of brokers: an environment variable that holds the password; its name begins with CARILLON_SECRET_. */
  password_env?: string;
  /**
   * Of nats: a credentials file in `secrets_dir`, in place of user name and password; read for each new
   * connection.
   */
  creds_file?: string;
  method?: string;
  headers?: Record<string, string>;
  /** Of a whole push; default 15s. */
  timeout?: Duration;
  /**
   * How long after its opening a connection is used for pushes; 0: for one push; at most 24h; default 60s.
   */
  connection_max_age?: Duration;
  /** Pushes under way at once; default 64, of brokers 1000. */
  concurrency?: number;
  rate?: Rate;
  batch?: Batch;
  retry?: Retry;
  breaker?: Breaker;
  /**
   * After 429, 503 with Retry-After, or a broker's word that means as much, nothing is pushed to it for so
   * long at most; default 5m.
   */
  hold_max?: Duration;
  /** Standard Webhooks secrets; shown as whsec_***, which keeps the stored one when it is sent back. */
  secrets?: string[];
  tls?: Tls;
  paused?: boolean;
  /** Taken if it is the name in the path. */
  name?: string;
}

export interface Tls {
  verify?: boolean;
  ca_file?: string;
  certificate_file?: string;
  private_key_file?: string;
}

/** Fields of TargetSettings, each optional; null puts its default back. */
export interface TargetChange {
  /**
   * Required but for kafka. Of http: http or https. Of redis: redis://HOST:PORT/DATABASE or rediss. Of amqp:
   * amqp://HOST:PORT/VHOST or amqps. Of nats: nats://HOST:PORT or tls.
   */
  url?: string | null;
  /** Standard Webhooks secrets; shown as whsec_***, which keeps the stored one when it is sent back. */
  secrets?: string[] | null;
  /** Says which of the other members there are: docs/kinds has a page for each but http. */
  kind?: Kind | null;
  /** Of amqp: where messages are published; without it, to the default exchange. */
  exchange?: string | null;
  /** Of amqp: of each message; required without `exchange`, where it names the queue. */
  routing_key?: string | null;
  /** Of amqp and nats: patterns of keys that tasks may name; `*` stands for any characters. */
  keys?: string[] | null;
  /** Of amqp: whether messages outlive a restart of the broker. */
  persistent?: boolean | null;
  /** Of amqp: whether a message that no queue takes is a failed attempt. */
  mandatory?: boolean | null;
  /** Of redis, required: the key of the stream that entries are added to. */
  stream?: string | null;
  /** Of nats, required: the subject that messages are published to. */
  subject?: string | null;
  /** Of kafka, required: HOST:PORT of brokers, which name the others. Also taken as one text with commas. */
  brokers?: string[] | null;
  /** Of kafka, required: the topic that messages go to. */
  topic?: string | null;
  /** Of kafka: whose answer counts: `all` replicas that are in sync, or `1`, the leader's. */
  acks?: string | null;
  /** Of kafka: how `username` logs in: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. */
  sasl_mechanism?: string | null;
  /** Of redis: about as many entries of the stream are kept; 0: all. */
  maxlen?: number | null;
  /** Of redis: how many replicas must have an entry before it counts as delivered. */
  replicas?: number | null;
  /** Of brokers; goes with one of the three that follow. */
  username?: string | null;
  /** Of brokers; shown as ***, which keeps the stored one when it is sent back. */
  password?: string | null;
  /** Of brokers: a file in `secrets_dir` that holds the password; read for each new connection. */
  password_file?: string | null;
  /** Of brokers: an environment variable that holds the password; its name begins with CARILLON_SECRET_. */
  password_env?: string | null;
  /**
   * Of nats: a credentials file in `secrets_dir`, in place of user name and password; read for each new
   * connection.
   */
  creds_file?: string | null;
  method?: string | null;
  headers?: Record<string, string> | null;
  /** Of a whole push; default 15s. */
  timeout?: Duration | null;
  /**
   * How long after its opening a connection is used for pushes; 0: for one push; at most 24h; default 60s.
   */
  connection_max_age?: Duration | null;
  /** Pushes under way at once; default 64, of brokers 1000. */
  concurrency?: number | null;
  rate?: Rate | null;
  batch?: Batch | null;
  retry?: Retry | null;
  breaker?: Breaker | null;
  /**
   * After 429, 503 with Retry-After, or a broker's word that means as much, nothing is pushed to it for so
   * long at most; default 5m.
   */
  hold_max?: Duration | null;
  tls?: Tls | null;
  paused?: boolean | null;
  /** Taken if it is the name in the path. */
  name?: string | null;
}

export interface Target {
  name: string;
  kind?: Kind;
  /** Its query is shown to the role admin, to others as `***`. */
  url?: string;
  exchange?: string;
  routing_key?: string;
  /** Left out where there are none. */
  keys?: string[];
  persistent?: boolean;
  subject?: string;
  brokers?: string[];
  topic?: string;
  acks?: string;
  sasl_mechanism?: string;
  mandatory?: boolean;
  stream?: string;
  maxlen?: number;
  replicas?: number;
  username?: string;
  /** Shown as ***. */
  password?: string;
  password_file?: string;
  password_env?: string;
  creds_file?: string;
  method?: string;
  headers?: Record<string, string>;
  /** Of a whole push; default 15s. */
  timeout?: string;
  /**
   * How long after its opening a connection is used for pushes; 0: for one push; at most 24h; default 60s.
   */
  connection_max_age?: string;
  /** Pushes under way at once; default 64, of brokers 1000. */
  concurrency?: number;
  rate?: Rate;
  batch?: Batch;
  retry?: Retry;
  breaker?: Breaker;
  /**
   * After 429, 503 with Retry-After, or a broker's word that means as much, nothing is pushed to it for so
   * long at most; default 5m.
   */
  hold_max?: string;
  /** Standard Webhooks secrets; shown as whsec_***. */
  secrets?: string[];
  tls?: Tls;
  paused?: boolean;
  /** Unfinished tasks that name it. */
  waiting: number;
  /** Of these, due and not fired yet. */
  backlog: number;
  /** Pushes under way. */
  in_flight: number;
  /**
   * Nothing is pushed to it, or one task at a time once `until` is past, because it asked for that or keeps
   * failing.
   */
  held?: TargetHeld;
  silent_shards?: number[];
}

/**
 * Nothing is pushed to it, or one task at a time once `until` is past, because it asked for that or keeps
 * failing.
 */
export interface TargetHeld {
  until: string;
  reason: Reason;
  since: string;
}

export interface LaneSettings {
  /**
   * Its part of the slots that nobody reserved, relative to the weights of the other lanes that have due
   * tasks.
   */
  weight?: number;
  /**
   * The part of each limit that is set aside for it while it has unfinished tasks there, in steps of 0.001.
   */
  reserved?: number;
}

export interface Lane {
  name: string;
  /**
   * Its part of the slots that nobody reserved, relative to the weights of the other lanes that have due
   * tasks.
   */
  weight: number;
  /**
   * The part of each limit that is set aside for it while it has unfinished tasks there, in steps of 0.001.
   */
  reserved: number;
  /** Unfinished tasks that name it. */
  waiting: number;
  /** Of these, due and not fired yet. */
  backlog: number;
  /** Its pushes under way. */
  in_flight: number;
  /** Start of a push minus its due, since the start. */
  lateness_ms: LaneLatenessMs;
  silent_shards?: number[];
}

/** Start of a push minus its due, since the start. */
export interface LaneLatenessMs {
  count?: number;
  p50?: number;
  p99?: number;
  p999?: number;
  max?: number;
}

export interface LaneList {
  lanes: Lane[];
}

export interface DeadFilter {
  group?: string;
  target?: string;
  due_from?: Moment;
  due_to?: Moment;
}

export interface DeadRedrive {
  group?: string;
  target?: string;
  due_from?: Moment;
  due_to?: Moment;
  operation?: string;
}

export interface Sender {
  role: Role;
}

export interface Stats {
  version: string;
  now: string;
  counts: Counts;
  backlog: number;
  oldest_overdue?: string;
  /** Start of a push minus its due, since the start. */
  lateness_ms: StatsLatenessMs;
  /** By the lane's name. */
  lanes: Record<string, StatsLane>;
  storage: StatsStorage;
  delivery: StatsDelivery;
  memory: StatsMemory;
  silent_shards?: number[];
}

/** Start of a push minus its due, since the start. */
export interface StatsLatenessMs {
  count?: number;
  p50?: number;
  p99?: number;
  p999?: number;
  max?: number;
}

export interface StatsLane {
  /** Unfinished tasks. */
  waiting: number;
  /** Of these, due and not fired yet. */
  backlog: number;
  /** Pushes under way. */
  in_flight: number;
  /** Start of a push minus its due, since the start. */
  lateness_ms: StatsLaneLatenessMs;
}

/** Start of a push minus its due, since the start. */
export interface StatsLaneLatenessMs {
  count?: number;
  p50?: number;
  p99?: number;
  p999?: number;
  max?: number;
}

export interface StatsStorage {
  last_sequence?: number;
  log_bytes?: number;
  disk_bytes?: number;
  free_bytes?: number;
  commits?: number;
}

export interface StatsDelivery {
  in_flight?: number;
  connections_open?: number;
  connections_made?: number;
  connections_reused?: number;
}

export interface StatsMemory {
  tasks_bytes?: number;
  content_bytes?: number;
  storage_bytes?: number;
  resident_bytes?: number;
}

export interface Wheel {
  levels: WheelLevel[];
}

export interface WheelLevel {
  slot_width?: string;
  slots?: number;
  occupied?: number;
  tasks?: number;
}

export interface Forecast {
  bucket: string;
  /** Those with tasks. */
  buckets: ForecastBucket[];
}

export interface ForecastBucket {
  from: string;
  tasks: number;
}

export interface History {
  step: string;
  points: HistoryPoint[];
}

/** What came to pass in a step, and what stood. Counters and lateness are of the node that answers. */
export interface HistoryPoint {
  from: string;
  added: number;
  cancelled: number;
  fired: number;
  delivered: number;
  /** Pushes that failed and will be tried again. */
  retrying: number;
  /** Tasks that became dead letters. */
  dead: number;
  expired: number;
  /** At the end: scheduled, firing and retrying. */
  pending: number;
  /** At the end. */
  dead_letters: number;
  /** At most: due and not fired. */
  backlog: number;
  /** At most: pushes under way. */
  in_flight: number;
  /** At most. */
  oldest_overdue_ms: number;
  lateness_ms: HistoryPointLatenessMs;
  commit_ms: HistoryPointCommitMs;
}

export interface HistoryPointLatenessMs {
  p50: number;
  p99: number;
  p999: number;
}

export interface HistoryPointCommitMs {
  p99: number;
}

export interface AlarmList {
  alarms: Alarm[];
}

export interface Alarm {
  /** Such as overdue. */
  alarm: string;
  /** The target, node or shard; absent where it is of the server. */
  of?: string;
  since: string;
  /** What, and how much. */
  detail: string;
  /** What to do. */
  advice: string;
}

export interface AuditList {
  entries: AuditEntry[];
}

export interface AuditEntry {
  at: string;
  /** The token's name; absent where no token was asked for. */
  who?: string;
  /** Such as POST /v1/groups/{group}:cancel. */
  action: string;
  /** Which; absent where it is of none. */
  of?: string;
  status: number;
  /** What a call on many tasks answered. */
  result?: Record<string, unknown>;
}

export interface Cluster {
  name: string;
  /** Made with the cluster. */
  id: string;
  /** The one that answers. */
  node: string;
  nodes: ClusterNode[];
  shards: ClusterShard[];
}

export interface ClusterNode {
  name: string;
  url: string;
  version: string;
  /** It was heard within 3 s. */
  alive: boolean;
  draining: boolean;
  /** Its clock is more than 1 s off the median of three or more; it owns nothing. */
  clock_off: boolean;
  /** Of the clock of the node that answers. */
  clock_ahead_ms: number;
  last_heard_ms: number;
  /** Shards. */
  owns: number;
  /**
   * Keys of settings, such as horizon, that should be the same on all nodes, and that differ from those of
   * the node that answers.
   */
  settings_differ: string[];
}

export interface ClusterShard {
  shard: number;
  /** Null: it is being taken over. */
  owner: string | null;
  /** How often it has been taken over. */
  epoch: number;
  /** That its stream has had, as of the owner's last heartbeat. */
  messages: number;
  followers: ClusterShardFollower[];
}

export interface ClusterShardFollower {
  node: string;
  /** Messages, as of the last heartbeats. */
  behind: number;
}

/** What `listTasks` may be given. */
export interface ListTasksParams {
  /** Only tasks of this group. */
  group?: string;
  /** Only tasks with this target, as they name it. */
  target?: string;
  /** Only tasks of this lane. */
  lane?: string;
  /** Only tasks in this state. */
  state?: State;
  /** Due at this moment or later. */
  due_from?: Moment;
  /** Due before this moment. */
  due_to?: Moment;
  /** At most so many tasks. */
  limit?: number;
  /** `next_cursor` of the page before; the filter must be the same. */
  cursor?: string;
}

/** What `cancelTask` may be given. */
export interface CancelTaskParams {
  /** Also of a task that is firing: the attempt under way is its last. */
  retries?: "cancel";
}

/** What `cancelTasks` is given. */
export interface CancelTasksParams {
  ids: string[];
  /** Also of tasks that are firing: no more attempts. */
  retries?: "cancel";
}

/** What `cancelGroup` is given. */
export interface CancelGroupParams {
  operation?: string;
}

/** The answer to `cancelGroup`. */
export interface CancelGroupResult {
  cancelled: number;
  firing: number;
}

/** What `shiftGroup` is given. */
export interface ShiftGroupParams {
  by: Duration;
  operation?: string;
}

/** The answer to `shiftGroup`. */
export interface ShiftGroupResult {
  shifted: number;
}

/** What `listTargets` may be given. */
export interface ListTargetsParams {
  /** At most so many tasks. */
  limit?: number;
  /** `next_cursor` of the page before; the filter must be the same. */
  cursor?: string;
}

/** The answer to `listTargets`. */
export interface ListTargetsResult {
  targets: Target[];
  /** Not on the last page. */
  next_cursor?: string;
}

/** What `deleteTarget` may be given. */
export interface DeleteTargetParams {
  /** Delete it although tasks name it. */
  force?: boolean;
}

/** The answer to `testTarget`. */
export interface TestTargetResult {
  /** Null: no answer came. */
  status: number | null;
  delivered: boolean;
  error: string | null;
  /** The first 256 bytes of the answer's body. */
  body: string;
  duration_ms: number;
}

/** What `listDead` may be given. */
export interface ListDeadParams {
  /** Only tasks of this group. */
  group?: string;
  /** Only tasks with this target, as they name it. */
  target?: string;
  /** Due at this moment or later. */
  due_from?: Moment;
  /** Due before this moment. */
  due_to?: Moment;
  /** At most so many tasks. */
  limit?: number;
  /** `next_cursor` of the page before; the filter must be the same. */
  cursor?: string;
}

/** The answer to `redriveAllDead`. */
export interface RedriveAllDeadResult {
  redriven: number;
}

/** The answer to `purgeDead`. */
export interface PurgeDeadResult {
  purged: number;
}

/** What `redriveDead` is given. */
export interface RedriveDeadParams {
  operation?: string;
}

/** The answer to `drainNode`. */
export interface DrainNodeResult {
  node: string;
  draining: boolean;
}

/** The answer to `getHealth`. */
export interface GetHealthResult {
  status: string;
}

/** The answer to `getReadiness`. */
export interface GetReadinessResult {
  status: string;
  /** `no_space` while adds are answered 507 */
  refuses?: string;
}

/** What `getForecast` may be given. */
export interface GetForecastParams {
  /** Width of a bucket. */
  bucket?: Duration;
  /** Start; without it, now. */
  from?: Moment;
  /** End, exclusive; without it, 24 hours after the start. */
  to?: Moment;
  /** Only tasks with this target; for a URL, all of its origin. */
  target?: string;
  /** Only tasks of this lane. */
  lane?: string;
}

/** What `getHistory` may be given. */
export interface GetHistoryParams {
  /** Without: an hour before `to`. */
  from?: Moment;
  /** Without: now. */
  to?: Moment;
  /** At least 10s, which is the default. */
  step?: Duration;
}

/** What `listAudit` may be given. */
export interface ListAuditParams {
  /** At most so many tasks. */
  limit?: number;
}

/** What `makeCheckpoint` is given. */
export interface MakeCheckpointParams {
  /** Absolute path on the server's machine; must not exist. */
  dir: string;
}

/** The answer to `makeCheckpoint`. */
export interface MakeCheckpointResult {
  dir: string;
}

/** What `advanceClock` is given. */
export interface AdvanceClockParams {
  by: Duration;
}

/** The answer to `advanceClock`. */
export interface AdvanceClockResult {
  now: string;
}
