// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.time.Instant;
import java.util.Map;

/** `ForecastBucket` of the API. */
public final class ForecastBucket extends JsonObject {
  private ForecastBucket(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static ForecastBucket of(Object json) {
    return json == null ? null : new ForecastBucket(object(json));
  }

  /** `from`. */
  public Instant from() {
    return read("from", JsonObject::moment);
  }

  /** `tasks`. */
  public long tasks() {
    return read("tasks", JsonObject::integer);
  }
}
