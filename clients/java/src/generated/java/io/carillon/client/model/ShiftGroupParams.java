// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.time.Duration;
import java.util.Map;

/** What `shiftGroup` is given. */
public final class ShiftGroupParams extends JsonObject {
  private ShiftGroupParams(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static ShiftGroupParams of(Object json) {
    return json == null ? null : new ShiftGroupParams(object(json));
  }

  /** `by`. */
  public Duration by() {
    return read("by", JsonObject::duration);
  }

  /** `operation`. Null where there is none. */
  public String operation() {
    return read("operation", JsonObject::text);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a ShiftGroupParams. What is not called is left out. */
  public static final class Builder extends JsonBuilder<ShiftGroupParams, Builder> {
    private Builder() {
      super(ShiftGroupParams::of);
    }

    /** `by`. */
    public Builder by(Duration value) {
      return put("by", value);
    }

    /** `operation`. */
    public Builder operation(String value) {
      return put("operation", value);
    }
  }
}
