// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.util.List;
import java.util.Map;

/** What `cancelTasks` is given. */
public final class CancelTasksParams extends JsonObject {
  private CancelTasksParams(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static CancelTasksParams of(Object json) {
    return json == null ? null : new CancelTasksParams(object(json));
  }

  /** `ids`. */
  public List<String> ids() {
    return read("ids", value -> list(value, JsonObject::text));
  }

  /** Also of tasks that are firing: no more attempts. Null where there is none. */
  public String retries() {
    return read("retries", JsonObject::text);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a CancelTasksParams. What is not called is left out. */
  public static final class Builder extends JsonBuilder<CancelTasksParams, Builder> {
    private Builder() {
      super(CancelTasksParams::of);
    }

    /** `ids`. */
    public Builder ids(List<String> value) {
      return put("ids", value);
    }

    /** Also of tasks that are firing: no more attempts. */
    public Builder retries(String value) {
      return put("retries", value);
    }
  }
}
