// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** `HistoryPointLatenessMs` of the API. */
public final class HistoryPointLatenessMs extends JsonObject {
  private HistoryPointLatenessMs(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static HistoryPointLatenessMs of(Object json) {
    return json == null ? null : new HistoryPointLatenessMs(object(json));
  }

  /** `p50`. */
  public double p50() {
    return read("p50", JsonObject::number);
  }

  /** `p99`. */
  public double p99() {
    return read("p99", JsonObject::number);
  }

  /** `p999`. */
  public double p999() {
    return read("p999", JsonObject::number);
  }
}
