// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** The answer to `drainNode`. */
public final class DrainNodeResult extends JsonObject {
  private DrainNodeResult(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static DrainNodeResult of(Object json) {
    return json == null ? null : new DrainNodeResult(object(json));
  }

  /** `node`. */
  public String node() {
    return read("node", JsonObject::text);
  }

  /** `draining`. */
  public boolean draining() {
    return read("draining", JsonObject::flag);
  }
}
