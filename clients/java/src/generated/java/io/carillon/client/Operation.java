// Made by clients/generate.py from api/openapi.json.
package io.carillon.client;

/** What is to be known of each operation. */
enum Operation {
  CREATE_TASK("POST", "/v1/tasks", true, "id", true),
  LIST_TASKS("GET", "/v1/tasks", true, null, false),
  GET_TASK("GET", "/v1/tasks/{id}", true, null, false),
  CHANGE_TASK("PATCH", "/v1/tasks/{id}", true, null, true),
  CANCEL_TASK("DELETE", "/v1/tasks/{id}", true, null, false),
  EXPLAIN_TASK("GET", "/v1/tasks/{id}/explain", true, null, false),
  GET_TIMELINE("GET", "/v1/tasks/{id}/timeline", true, null, false),
  PUSH_TASK("POST", "/v1/tasks/{id}:push", true, null, false),
  CREATE_TASKS("POST", "/v1/tasks:batchCreate", true, null, false),
  CANCEL_TASKS("POST", "/v1/tasks:batchCancel", true, null, true),
  GET_GROUP("GET", "/v1/groups/{group}", true, null, false),
  CANCEL_GROUP("POST", "/v1/groups/{group}:cancel", true, "operation", true),
  SHIFT_GROUP("POST", "/v1/groups/{group}:shift", true, "operation", true),
  LIST_TARGETS("GET", "/v1/targets", true, null, false),
  GET_TARGET("GET", "/v1/targets/{name}", true, null, false),
  PUT_TARGET("PUT", "/v1/targets/{name}", true, null, true),
  CHANGE_TARGET("PATCH", "/v1/targets/{name}", true, null, true),
  DELETE_TARGET("DELETE", "/v1/targets/{name}", true, null, false),
  PAUSE_TARGET("POST", "/v1/targets/{name}:pause", true, null, false),
  RESUME_TARGET("POST", "/v1/targets/{name}:resume", true, null, false),
  TEST_TARGET("POST", "/v1/targets/{name}:test", false, null, false),
  LIST_LANES("GET", "/v1/lanes", true, null, false),
  GET_LANE("GET", "/v1/lanes/{name}", true, null, false),
  PUT_LANE("PUT", "/v1/lanes/{name}", true, null, true),
  DELETE_LANE("DELETE", "/v1/lanes/{name}", true, null, false),
  LIST_DEAD("GET", "/v1/dead", true, null, false),
  REDRIVE_ALL_DEAD("POST", "/v1/dead:redrive", true, "operation", true),
  PURGE_DEAD("POST", "/v1/dead:purge", false, null, true),
  GET_DEAD("GET", "/v1/dead/{id}", true, null, false),
  DELETE_DEAD("DELETE", "/v1/dead/{id}", true, null, false),
  REDRIVE_DEAD("POST", "/v1/dead/{id}:redrive", true, "operation", true),
  GET_CLUSTER("GET", "/v1/cluster", true, null, false),
  DRAIN_NODE("POST", "/v1/cluster/nodes/{node}:drain", true, null, false),
  GET_HEALTH("GET", "/healthz", true, null, false),
  GET_READINESS("GET", "/readyz", true, null, false),
  GET_METRICS("GET", "/metrics", true, null, false),
  GET_OPEN_API("GET", "/openapi.json", true, null, false),
  GET_STATS("GET", "/v1/stats", true, null, false),
  GET_SENDER("GET", "/v1/whoami", true, null, false),
  GET_WHEEL("GET", "/v1/wheel", true, null, false),
  GET_FORECAST("GET", "/v1/forecast", true, null, false),
  GET_HISTORY("GET", "/v1/history", true, null, false),
  LIST_ALARMS("GET", "/v1/alarms", true, null, false),
  LIST_AUDIT("GET", "/v1/audit", true, null, false),
  EXPORT_TASKS("GET", "/v1/export", true, null, false),
  MAKE_CHECKPOINT("POST", "/v1/admin/checkpoint", false, null, true),
  ADVANCE_CLOCK("POST", "/v1/clock:advance", false, null, true);

  final String method;
  final String path;
  final boolean repeatable;
  /** The member by which the server knows a repeated call; null where there is none. */
  final String names;
  final boolean hasBody;

  Operation(String method, String path, boolean repeatable, String names, boolean hasBody) {
    this.method = method;
    this.path = path;
    this.repeatable = repeatable;
    this.names = names;
    this.hasBody = hasBody;
  }
}
