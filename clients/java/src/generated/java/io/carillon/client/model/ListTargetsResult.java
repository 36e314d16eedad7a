// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.List;
import java.util.Map;

/** The answer to `listTargets`. */
public final class ListTargetsResult extends JsonObject {
  private ListTargetsResult(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static ListTargetsResult of(Object json) {
    return json == null ? null : new ListTargetsResult(object(json));
  }

  /** `targets`. */
  public List<Target> targets() {
    return read("targets", value -> list(value, Target::of));
  }

  /** Not on the last page. Null where there is none. */
  public String nextCursor() {
    return read("next_cursor", JsonObject::text);
  }
}
