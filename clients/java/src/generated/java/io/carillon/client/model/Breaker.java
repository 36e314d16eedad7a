// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.time.Duration;
import java.util.Map;

/**
 * After so many pushes in a row that fail (no connection, a time-out, 5xx) the target is held for `open_for`,
 * doubled up to `open_max` each time a probe fails.
 */
public final class Breaker extends JsonObject {
  private Breaker(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Breaker of(Object json) {
    return json == null ? null : new Breaker(object(json));
  }

  /** 0: never. Null where there is none. */
  public Long failures() {
    return read("failures", JsonObject::integer);
  }

  /** 1ms to 1d; default 5s. Null where there is none. */
  public Duration openFor() {
    return read("open_for", JsonObject::duration);
  }

  /** Up to 1d; default 5m. Null where there is none. */
  public Duration openMax() {
    return read("open_max", JsonObject::duration);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a Breaker. What is not called is left out. */
  public static final class Builder extends JsonBuilder<Breaker, Builder> {
    private Builder() {
      super(Breaker::of);
    }

    /** 0: never. */
    public Builder failures(long value) {
      return put("failures", value);
    }

    /** 1ms to 1d; default 5s. */
    public Builder openFor(Duration value) {
      return put("open_for", value);
    }

    /** Up to 1d; default 5m. */
    public Builder openMax(Duration value) {
      return put("open_max", value);
    }
  }
}
