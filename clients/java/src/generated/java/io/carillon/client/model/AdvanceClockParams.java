// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.time.Duration;
import java.util.Map;

/** What `advanceClock` is given. */
public final class AdvanceClockParams extends JsonObject {
  private AdvanceClockParams(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static AdvanceClockParams of(Object json) {
    return json == null ? null : new AdvanceClockParams(object(json));
  }

  /** `by`. */
  public Duration by() {
    return read("by", JsonObject::duration);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a AdvanceClockParams. What is not called is left out. */
  public static final class Builder extends JsonBuilder<AdvanceClockParams, Builder> {
    private Builder() {
      super(AdvanceClockParams::of);
    }

    /** `by`. */
    public Builder by(Duration value) {
      return put("by", value);
    }
  }
}
