// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** The answer to `purgeDead`. */
public final class PurgeDeadResult extends JsonObject {
  private PurgeDeadResult(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static PurgeDeadResult of(Object json) {
    return json == null ? null : new PurgeDeadResult(object(json));
  }

  /** `purged`. */
  public long purged() {
    return read("purged", JsonObject::integer);
  }
}
