// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** Start of a push minus its due, since the start. */
public final class LaneLatenessMs extends JsonObject {
  private LaneLatenessMs(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static LaneLatenessMs of(Object json) {
    return json == null ? null : new LaneLatenessMs(object(json));
  }

  /** `count`. Null where there is none. */
  public Double count() {
    return read("count", JsonObject::number);
  }

  /** `p50`. Null where there is none. */
  public Double p50() {
    return read("p50", JsonObject::number);
  }

  /** `p99`. Null where there is none. */
  public Double p99() {
    return read("p99", JsonObject::number);
  }

  /** `p999`. Null where there is none. */
  public Double p999() {
    return read("p999", JsonObject::number);
  }

  /** `max`. Null where there is none. */
  public Double max() {
    return read("max", JsonObject::number);
  }
}
