// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.List;
import java.util.Map;

/** `LaneList` of the API. */
public final class LaneList extends JsonObject {
  private LaneList(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static LaneList of(Object json) {
    return json == null ? null : new LaneList(object(json));
  }

  /** `lanes`. */
  public List<Lane> lanes() {
    return read("lanes", value -> list(value, Lane::of));
  }
}
