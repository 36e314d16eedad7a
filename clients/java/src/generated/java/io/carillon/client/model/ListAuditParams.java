// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.util.Map;

/** What `listAudit` may be given. */
public final class ListAuditParams extends JsonObject {
  private ListAuditParams(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static ListAuditParams of(Object json) {
    return json == null ? null : new ListAuditParams(object(json));
  }

  /** At most so many tasks. Null where there is none. */
  public Long limit() {
    return read("limit", JsonObject::integer);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a ListAuditParams. What is not called is left out. */
  public static final class Builder extends JsonBuilder<ListAuditParams, Builder> {
    private Builder() {
      super(ListAuditParams::of);
    }

    /** At most so many tasks. */
    public Builder limit(long value) {
      return put("limit", value);
    }
  }
}
