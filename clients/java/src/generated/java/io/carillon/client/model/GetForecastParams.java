// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/** What `getForecast` may be given. */
public final class GetForecastParams extends JsonObject {
  private GetForecastParams(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static GetForecastParams of(Object json) {
    return json == null ? null : new GetForecastParams(object(json));
  }

  /** Width of a bucket. Null where there is none. */
  public Duration bucket() {
    return read("bucket", JsonObject::duration);
  }

  /** Start; without it, now. Null where there is none. */
  public Instant from() {
    return read("from", JsonObject::moment);
  }

  /** End, exclusive; without it, 24 hours after the start. Null where there is none. */
  public Instant to() {
    return read("to", JsonObject::moment);
  }

  /** Only tasks with this target; for a URL, all of its origin. Null where there is none. */
  public String target() {
    return read("target", JsonObject::text);
  }

  /** Only tasks of this lane. Null where there is none. */
  public String lane() {
    return read("lane", JsonObject::text);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a GetForecastParams. What is not called is left out. */
  public static final class Builder extends JsonBuilder<GetForecastParams, Builder> {
    private Builder() {
      super(GetForecastParams::of);
    }

    /** Width of a bucket. */
    public Builder bucket(Duration value) {
      return put("bucket", value);
    }

    /** Start; without it, now. */
    public Builder from(Instant value) {
      return put("from", value);
    }

    /** End, exclusive; without it, 24 hours after the start. */
    public Builder to(Instant value) {
      return put("to", value);
    }

    /** Only tasks with this target; for a URL, all of its origin. */
    public Builder target(String value) {
      return put("target", value);
    }

    /** Only tasks of this lane. */
    public Builder lane(String value) {
      return put("lane", value);
    }
  }
}
