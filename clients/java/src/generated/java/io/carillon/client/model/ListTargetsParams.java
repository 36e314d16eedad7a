// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.util.Map;

/** What `listTargets` may be given. */
public final class ListTargetsParams extends JsonObject {
  private ListTargetsParams(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static ListTargetsParams of(Object json) {
    return json == null ? null : new ListTargetsParams(object(json));
  }

  /** At most so many tasks. Null where there is none. */
  public Long limit() {
    return read("limit", JsonObject::integer);
  }

  /** `next_cursor` of the page before; the filter must be the same. Null where there is none. */
  public String cursor() {
    return read("cursor", JsonObject::text);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a ListTargetsParams. What is not called is left out. */
  public static final class Builder extends JsonBuilder<ListTargetsParams, Builder> {
    private Builder() {
      super(ListTargetsParams::of);
    }

    /** At most so many tasks. */
    public Builder limit(long value) {
      return put("limit", value);
    }

    /** `next_cursor` of the page before; the filter must be the same. */
    public Builder cursor(String value) {
      return put("cursor", value);
    }
  }
}
