// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.time.Instant;
import java.util.Map;

/** `Explanation` of the API. */
public final class Explanation extends JsonObject {
  private Explanation(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Explanation of(Object json) {
    return json == null ? null : new Explanation(object(json));
  }

  /** `state`. */
  public State state() {
    return read("state", value -> enumeration(value, State.class));
  }

  /** Left out where it does not wait. Null where there is none. */
  public WaitingFor waitingFor() {
    return read("waiting_for", value -> enumeration(value, WaitingFor.class));
  }

  /** For a person. */
  public String detail() {
    return read("detail", JsonObject::text);
  }

  /** About when it goes, where that can be told. Null where there is none. */
  public Instant expectedAt() {
    return read("expected_at", JsonObject::moment);
  }

  /** Due tasks of its target and lane before it; of more than 20,000 so many. Null where there is none. */
  public Long ahead() {
    return read("ahead", JsonObject::integer);
  }
}
