// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** `StatsDelivery` of the API. */
public final class StatsDelivery extends JsonObject {
  private StatsDelivery(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static StatsDelivery of(Object json) {
    return json == null ? null : new StatsDelivery(object(json));
  }

  /** `in_flight`. Null where there is none. */
  public Long inFlight() {
    return read("in_flight", JsonObject::integer);
  }

  /** `connections_open`. Null where there is none. */
  public Long connectionsOpen() {
    return read("connections_open", JsonObject::integer);
  }

  /** `connections_made`. Null where there is none. */
  public Long connectionsMade() {
    return read("connections_made", JsonObject::integer);
  }

  /** `connections_reused`. Null where there is none. */
  public Long connectionsReused() {
    return read("connections_reused", JsonObject::integer);
  }
}
