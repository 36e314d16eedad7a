// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.util.Map;

/** What `cancelGroup` is given. */
public final class CancelGroupParams extends JsonObject {
  private CancelGroupParams(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static CancelGroupParams of(Object json) {
    return json == null ? null : new CancelGroupParams(object(json));
  }

  /** `operation`. Null where there is none. */
  public String operation() {
    return read("operation", JsonObject::text);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a CancelGroupParams. What is not called is left out. */
  public static final class Builder extends JsonBuilder<CancelGroupParams, Builder> {
    private Builder() {
      super(CancelGroupParams::of);
    }

    /** `operation`. */
    public Builder operation(String value) {
      return put("operation", value);
    }
  }
}
