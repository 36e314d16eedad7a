// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** `StatsMemory` of the API. */
public final class StatsMemory extends JsonObject {
  private StatsMemory(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static StatsMemory of(Object json) {
    return json == null ? null : new StatsMemory(object(json));
  }

  /** `tasks_bytes`. Null where there is none. */
  public Long tasksBytes() {
    return read("tasks_bytes", JsonObject::integer);
  }

  /** `content_bytes`. Null where there is none. */
  public Long contentBytes() {
    return read("content_bytes", JsonObject::integer);
  }

  /** `storage_bytes`. Null where there is none. */
  public Long storageBytes() {
    return read("storage_bytes", JsonObject::integer);
  }

  /** `resident_bytes`. Null where there is none. */
  public Long residentBytes() {
    return read("resident_bytes", JsonObject::integer);
  }
}
