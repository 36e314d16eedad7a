// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.time.Instant;
import java.util.Map;

/** The answer to `advanceClock`. */
public final class AdvanceClockResult extends JsonObject {
  private AdvanceClockResult(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static AdvanceClockResult of(Object json) {
    return json == null ? null : new AdvanceClockResult(object(json));
  }

  /** `now`. */
  public Instant now() {
    return read("now", JsonObject::moment);
  }
}
