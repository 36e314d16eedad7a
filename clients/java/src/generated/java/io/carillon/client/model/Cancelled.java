// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** `Cancelled` of the API. */
public final class Cancelled extends JsonObject {
  private Cancelled(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Cancelled of(Object json) {
    return json == null ? null : new Cancelled(object(json));
  }

  /** `id`. */
  public String id() {
    return read("id", JsonObject::text);
  }

  /** firing: the attempt under way is the last. */
  public State state() {
    return read("state", value -> enumeration(value, State.class));
  }

  /** Pushes of it that had begun; with 0 none ever did. */
  public long attempts() {
    return read("attempts", JsonObject::integer);
  }

  /** With state firing. Null where there is none. */
  public String retries() {
    return read("retries", JsonObject::text);
  }
}
