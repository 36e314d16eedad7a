// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** The answer to `getReadiness`. */
public final class GetReadinessResult extends JsonObject {
  private GetReadinessResult(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static GetReadinessResult of(Object json) {
    return json == null ? null : new GetReadinessResult(object(json));
  }

  /** `status`. */
  public String status() {
    return read("status", JsonObject::text);
  }

  /** `no_space` while adds are answered 507 Null where there is none. */
  public String refuses() {
    return read("refuses", JsonObject::text);
  }
}
