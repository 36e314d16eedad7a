// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** `Sender` of the API. */
public final class Sender extends JsonObject {
  private Sender(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Sender of(Object json) {
    return json == null ? null : new Sender(object(json));
  }

  /** `role`. */
  public Role role() {
    return read("role", value -> enumeration(value, Role.class));
  }
}
