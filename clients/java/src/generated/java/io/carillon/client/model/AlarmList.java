// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.List;
import java.util.Map;

/** `AlarmList` of the API. */
public final class AlarmList extends JsonObject {
  private AlarmList(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static AlarmList of(Object json) {
    return json == null ? null : new AlarmList(object(json));
  }

  /** `alarms`. */
  public List<Alarm> alarms() {
    return read("alarms", value -> list(value, Alarm::of));
  }
}
