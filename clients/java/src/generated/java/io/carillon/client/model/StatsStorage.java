// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** `StatsStorage` of the API. */
public final class StatsStorage extends JsonObject {
  private StatsStorage(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static StatsStorage of(Object json) {
    return json == null ? null : new StatsStorage(object(json));
  }

  /** `last_sequence`. Null where there is none. */
  public Long lastSequence() {
    return read("last_sequence", JsonObject::integer);
  }

  /** `log_bytes`. Null where there is none. */
  public Long logBytes() {
    return read("log_bytes", JsonObject::integer);
  }

  /** `disk_bytes`. Null where there is none. */
  public Long diskBytes() {
    return read("disk_bytes", JsonObject::integer);
  }

  /** `free_bytes`. Null where there is none. */
  public Long freeBytes() {
    return read("free_bytes", JsonObject::integer);
  }

  /** `commits`. Null where there is none. */
  public Long commits() {
    return read("commits", JsonObject::integer);
  }
}
