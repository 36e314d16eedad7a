// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.List;
import java.util.Map;

/** `AuditList` of the API. */
public final class AuditList extends JsonObject {
  private AuditList(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static AuditList of(Object json) {
    return json == null ? null : new AuditList(object(json));
  }

  /** `entries`. */
  public List<AuditEntry> entries() {
    return read("entries", value -> list(value, AuditEntry::of));
  }
}
