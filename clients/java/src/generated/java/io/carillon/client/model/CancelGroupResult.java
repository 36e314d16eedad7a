// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** The answer to `cancelGroup`. */
public final class CancelGroupResult extends JsonObject {
  private CancelGroupResult(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static CancelGroupResult of(Object json) {
    return json == null ? null : new CancelGroupResult(object(json));
  }

  /** `cancelled`. */
  public long cancelled() {
    return read("cancelled", JsonObject::integer);
  }

  /** `firing`. */
  public long firing() {
    return read("firing", JsonObject::integer);
  }
}
