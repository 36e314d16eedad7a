// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.time.Instant;
import java.util.Map;

/** `AuditEntry` of the API. */
public final class AuditEntry extends JsonObject {
  private AuditEntry(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static AuditEntry of(Object json) {
    return json == null ? null : new AuditEntry(object(json));
  }

  /** `at`. */
  public Instant at() {
    return read("at", JsonObject::moment);
  }

  /** The token's name; absent where no token was asked for. Null where there is none. */
  public String who() {
    return read("who", JsonObject::text);
  }

  /** Such as POST /v1/groups/{group}:cancel. */
  public String action() {
    return read("action", JsonObject::text);
  }

  /** Which; absent where it is of none. Null where there is none. */
  public String of() {
    return read("of", JsonObject::text);
  }

  /** `status`. */
  public long status() {
    return read("status", JsonObject::integer);
  }

  /** What a call on many tasks answered. Null where there is none. */
  public Map<String, Object> result() {
    return read("result", value -> map(value, JsonObject::any));
  }
}
