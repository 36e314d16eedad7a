// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.time.Instant;
import java.util.Map;

/** `Alarm` of the API. */
public final class Alarm extends JsonObject {
  private Alarm(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Alarm of(Object json) {
    return json == null ? null : new Alarm(object(json));
  }

  /** Such as overdue. */
  public String alarm() {
    return read("alarm", JsonObject::text);
  }

  /** The target, node or shard; absent where it is of the server. Null where there is none. */
  public String of() {
    return read("of", JsonObject::text);
  }

  /** `since`. */
  public Instant since() {
    return read("since", JsonObject::moment);
  }

  /** What, and how much. */
  public String detail() {
    return read("detail", JsonObject::text);
  }

  /** What to do. */
  public String advice() {
    return read("advice", JsonObject::text);
  }
}
