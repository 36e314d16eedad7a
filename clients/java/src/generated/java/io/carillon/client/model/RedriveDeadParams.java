// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.util.Map;

/** What `redriveDead` is given. */
public final class RedriveDeadParams extends JsonObject {
  private RedriveDeadParams(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static RedriveDeadParams of(Object json) {
    return json == null ? null : new RedriveDeadParams(object(json));
  }

  /** `operation`. Null where there is none. */
  public String operation() {
    return read("operation", JsonObject::text);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a RedriveDeadParams. What is not called is left out. */
  public static final class Builder extends JsonBuilder<RedriveDeadParams, Builder> {
    private Builder() {
      super(RedriveDeadParams::of);
    }

    /** `operation`. */
    public Builder operation(String value) {
      return put("operation", value);
    }
  }
}
