// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/** What `getHistory` may be given. */
public final class GetHistoryParams extends JsonObject {
  private GetHistoryParams(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static GetHistoryParams of(Object json) {
    return json == null ? null : new GetHistoryParams(object(json));
  }

  /** Without: an hour before `to`. Null where there is none. */
  public Instant from() {
    return read("from", JsonObject::moment);
  }

  /** Without: now. Null where there is none. */
  public Instant to() {
    return read("to", JsonObject::moment);
  }

  /** At least 10s, which is the default. Null where there is none. */
  public Duration step() {
    return read("step", JsonObject::duration);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a GetHistoryParams. What is not called is left out. */
  public static final class Builder extends JsonBuilder<GetHistoryParams, Builder> {
    private Builder() {
      super(GetHistoryParams::of);
    }

    /** Without: an hour before `to`. */
    public Builder from(Instant value) {
      return put("from", value);
    }

    /** Without: now. */
    public Builder to(Instant value) {
      return put("to", value);
    }

    /** At least 10s, which is the default. */
    public Builder step(Duration value) {
      return put("step", value);
    }
  }
}
