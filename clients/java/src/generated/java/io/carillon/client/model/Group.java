// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.time.Instant;
import java.util.Map;

/** `Group` of the API. */
public final class Group extends JsonObject {
  private Group(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Group of(Object json) {
    return json == null ? null : new Group(object(json));
  }

  /** `group`. */
  public String group() {
    return read("group", JsonObject::text);
  }

  /** `counts`. */
  public Counts counts() {
    return read("counts", Counts::of);
  }

  /** `earliest_due`. Null where there is none. */
  public Instant earliestDue() {
    return read("earliest_due", JsonObject::moment);
  }

  /** `latest_due`. Null where there is none. */
  public Instant latestDue() {
    return read("latest_due", JsonObject::moment);
  }
}
