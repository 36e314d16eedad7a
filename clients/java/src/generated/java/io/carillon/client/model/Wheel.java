// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.List;
import java.util.Map;

/** `Wheel` of the API. */
public final class Wheel extends JsonObject {
  private Wheel(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Wheel of(Object json) {
    return json == null ? null : new Wheel(object(json));
  }

  /** `levels`. */
  public List<WheelLevel> levels() {
    return read("levels", value -> list(value, WheelLevel::of));
  }
}
