// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** The answer to `redriveAllDead`. */
public final class RedriveAllDeadResult extends JsonObject {
  private RedriveAllDeadResult(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static RedriveAllDeadResult of(Object json) {
    return json == null ? null : new RedriveAllDeadResult(object(json));
  }

  /** `redriven`. */
  public long redriven() {
    return read("redriven", JsonObject::integer);
  }
}
