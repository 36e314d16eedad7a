// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** The answer to `testTarget`. */
public final class TestTargetResult extends JsonObject {
  private TestTargetResult(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static TestTargetResult of(Object json) {
    return json == null ? null : new TestTargetResult(object(json));
  }

  /** Null: no answer came. Null where there is none. */
  public Long status() {
    return read("status", JsonObject::integer);
  }

  /** `delivered`. */
  public boolean delivered() {
    return read("delivered", JsonObject::flag);
  }

  /** `error`. Null where there is none. */
  public String error() {
    return read("error", JsonObject::text);
  }

  /** The first 256 bytes of the answer's body. */
  public String body() {
    return read("body", JsonObject::text);
  }

  /** `duration_ms`. */
  public long durationMs() {
    return read("duration_ms", JsonObject::integer);
  }
}
