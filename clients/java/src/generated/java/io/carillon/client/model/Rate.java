// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.time.Duration;
import java.util.Map;

/** At most `limit` tasks begin in any stretch of `per`, and `burst` more. */
public final class Rate extends JsonObject {
  private Rate(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Rate of(Object json) {
    return json == null ? null : new Rate(object(json));
  }

  /** `limit`. */
  public long limit() {
    return read("limit", JsonObject::integer);
  }

  /** 1ms to 1d; default 1s. Null where there is none. */
  public Duration per() {
    return read("per", JsonObject::duration);
  }

  /** Default: a twentieth of the limit, at least 1. Null where there is none. */
  public Long burst() {
    return read("burst", JsonObject::integer);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a Rate. What is not called is left out. */
  public static final class Builder extends JsonBuilder<Rate, Builder> {
    private Builder() {
      super(Rate::of);
    }

    /** `limit`. */
    public Builder limit(long value) {
      return put("limit", value);
    }

    /** 1ms to 1d; default 1s. */
    public Builder per(Duration value) {
      return put("per", value);
    }

    /** Default: a twentieth of the limit, at least 1. */
    public Builder burst(long value) {
      return put("burst", value);
    }
  }
}
