// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.time.Instant;
import java.util.Map;

/** RFC 9457. */
public final class Problem extends JsonObject {
  private Problem(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Problem of(Object json) {
    return json == null ? null : new Problem(object(json));
  }

  /** `type`. */
  public String type() {
    return read("type", JsonObject::text);
  }

  /** `title`. */
  public String title() {
    return read("title", JsonObject::text);
  }

  /** `status`. */
  public long status() {
    return read("status", JsonObject::integer);
  }

  /** `detail`. Null where there is none. */
  public String detail() {
    return read("detail", JsonObject::text);
  }

  /** The field or parameter at fault. Null where there is none. */
  public String field() {
    return read("field", JsonObject::text);
  }

  /** `state`. Null where there is none. */
  public State state() {
    return read("state", value -> enumeration(value, State.class));
  }

  /** `attempt`. Null where there is none. */
  public Long attempt() {
    return read("attempt", JsonObject::integer);
  }

  /** `at`. Null where there is none. */
  public Instant at() {
    return read("at", JsonObject::moment);
  }
}
