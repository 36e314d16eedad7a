// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.time.Duration;
import java.util.Map;

/**
 * Exponential backoff: the pause doubles and is drawn between half and all of it, never under backoff_min. On
 * a task, what is left out is as its target says.
 */
public final class Retry extends JsonObject {
  private Retry(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Retry of(Object json) {
    return json == null ? null : new Retry(object(json));
  }

  /** Pushes in all, but for those that the receiver asked to come later. Null where there is none. */
  public Long maxAttempts() {
    return read("max_attempts", JsonObject::integer);
  }

  /** Default 1s. Null where there is none. */
  public Duration backoffMin() {
    return read("backoff_min", JsonObject::duration);
  }

  /** Default 1h. Null where there is none. */
  public Duration backoffMax() {
    return read("backoff_max", JsonObject::duration);
  }

  /** From the first attempt to the last; default 3d. Null where there is none. */
  public Duration maxAge() {
    return read("max_age", JsonObject::duration);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a Retry. What is not called is left out. */
  public static final class Builder extends JsonBuilder<Retry, Builder> {
    private Builder() {
      super(Retry::of);
    }

    /** Pushes in all, but for those that the receiver asked to come later. */
    public Builder maxAttempts(long value) {
      return put("max_attempts", value);
    }

    /** Default 1s. */
    public Builder backoffMin(Duration value) {
      return put("backoff_min", value);
    }

    /** Default 1h. */
    public Builder backoffMax(Duration value) {
      return put("backoff_max", value);
    }

    /** From the first attempt to the last; default 3d. */
    public Builder maxAge(Duration value) {
      return put("max_age", value);
    }
  }
}
