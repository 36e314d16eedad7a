// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** `HistoryPointCommitMs` of the API. */
public final class HistoryPointCommitMs extends JsonObject {
  private HistoryPointCommitMs(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static HistoryPointCommitMs of(Object json) {
    return json == null ? null : new HistoryPointCommitMs(object(json));
  }

  /** `p99`. */
  public double p99() {
    return read("p99", JsonObject::number);
  }
}
