// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.time.Instant;
import java.util.Map;

/**
 * Nothing is pushed to it, or one task at a time once `until` is past, because it asked for that or keeps
 * failing.
 */
public final class TargetHeld extends JsonObject {
  private TargetHeld(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static TargetHeld of(Object json) {
    return json == null ? null : new TargetHeld(object(json));
  }

  /** `until`. */
  public Instant until() {
    return read("until", JsonObject::moment);
  }

  /** `reason`. */
  public Reason reason() {
    return read("reason", value -> enumeration(value, Reason.class));
  }

  /** `since`. */
  public Instant since() {
    return read("since", JsonObject::moment);
  }
}
