// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** `Forecast` of the API. */
public final class Forecast extends JsonObject {
  private Forecast(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Forecast of(Object json) {
    return json == null ? null : new Forecast(object(json));
  }

  /** `bucket`. */
  public Duration bucket() {
    return read("bucket", JsonObject::duration);
  }

  /** Those with tasks. */
  public List<ForecastBucket> buckets() {
    return read("buckets", value -> list(value, ForecastBucket::of));
  }
}
