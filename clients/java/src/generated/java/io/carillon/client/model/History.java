// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** `History` of the API. */
public final class History extends JsonObject {
  private History(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static History of(Object json) {
    return json == null ? null : new History(object(json));
  }

  /** `step`. */
  public Duration step() {
    return read("step", JsonObject::duration);
  }

  /** `points`. */
  public List<HistoryPoint> points() {
    return read("points", value -> list(value, HistoryPoint::of));
  }
}
