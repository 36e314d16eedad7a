// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** The answer to `makeCheckpoint`. */
public final class MakeCheckpointResult extends JsonObject {
  private MakeCheckpointResult(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static MakeCheckpointResult of(Object json) {
    return json == null ? null : new MakeCheckpointResult(object(json));
  }

  /** `dir`. */
  public String dir() {
    return read("dir", JsonObject::text);
  }
}
