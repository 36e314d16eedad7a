// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.util.Map;

/** What `cancelTask` may be given. */
public final class CancelTaskParams extends JsonObject {
  private CancelTaskParams(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static CancelTaskParams of(Object json) {
    return json == null ? null : new CancelTaskParams(object(json));
  }

  /** Also of a task that is firing: the attempt under way is its last. Null where there is none. */
  public String retries() {
    return read("retries", JsonObject::text);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a CancelTaskParams. What is not called is left out. */
  public static final class Builder extends JsonBuilder<CancelTaskParams, Builder> {
    private Builder() {
      super(CancelTaskParams::of);
    }

    /** Also of a task that is firing: the attempt under way is its last. */
    public Builder retries(String value) {
      return put("retries", value);
    }
  }
}
