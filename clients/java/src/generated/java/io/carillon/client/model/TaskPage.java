// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.List;
import java.util.Map;

/** `TaskPage` of the API. */
public final class TaskPage extends JsonObject {
  private TaskPage(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static TaskPage of(Object json) {
    return json == null ? null : new TaskPage(object(json));
  }

  /** In due order; without payload, body and headers. */
  public List<Task> tasks() {
    return read("tasks", value -> list(value, Task::of));
  }

  /** For the next page; absent on the last. Null where there is none. */
  public String nextCursor() {
    return read("next_cursor", JsonObject::text);
  }

  /** `silent_shards`. Null where there is none. */
  public List<Long> silentShards() {
    return read("silent_shards", value -> list(value, JsonObject::integer));
  }
}
