// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.time.Duration;
import java.util.Map;

/** `WheelLevel` of the API. */
public final class WheelLevel extends JsonObject {
  private WheelLevel(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static WheelLevel of(Object json) {
    return json == null ? null : new WheelLevel(object(json));
  }

  /** `slot_width`. Null where there is none. */
  public Duration slotWidth() {
    return read("slot_width", JsonObject::duration);
  }

  /** `slots`. Null where there is none. */
  public Long slots() {
    return read("slots", JsonObject::integer);
  }

  /** `occupied`. Null where there is none. */
  public Long occupied() {
    return read("occupied", JsonObject::integer);
  }

  /** `tasks`. Null where there is none. */
  public Long tasks() {
    return read("tasks", JsonObject::integer);
  }
}
