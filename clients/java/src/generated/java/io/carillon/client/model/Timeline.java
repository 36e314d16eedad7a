// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.List;
import java.util.Map;

/** `Timeline` of the API. */
public final class Timeline extends JsonObject {
  private Timeline(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Timeline of(Object json) {
    return json == null ? null : new Timeline(object(json));
  }

  /** `id`. */
  public String id() {
    return read("id", JsonObject::text);
  }

  /** `state`. */
  public State state() {
    return read("state", value -> enumeration(value, State.class));
  }

  /** `events`. */
  public List<TimelineEvent> events() {
    return read("events", value -> list(value, TimelineEvent::of));
  }
}
