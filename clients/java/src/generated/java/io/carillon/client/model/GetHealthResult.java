// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** The answer to `getHealth`. */
public final class GetHealthResult extends JsonObject {
  private GetHealthResult(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static GetHealthResult of(Object json) {
    return json == null ? null : new GetHealthResult(object(json));
  }

  /** `status`. */
  public String status() {
    return read("status", JsonObject::text);
  }
}
