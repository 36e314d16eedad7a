// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** The answer to `shiftGroup`. */
public final class ShiftGroupResult extends JsonObject {
  private ShiftGroupResult(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static ShiftGroupResult of(Object json) {
    return json == null ? null : new ShiftGroupResult(object(json));
  }

  /** `shifted`. */
  public long shifted() {
    return read("shifted", JsonObject::integer);
  }
}
