// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** `StatsLane` of the API. */
public final class StatsLane extends JsonObject {
  private StatsLane(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static StatsLane of(Object json) {
    return json == null ? null : new StatsLane(object(json));
  }

  /** Unfinished tasks. */
  public long waiting() {
    return read("waiting", JsonObject::integer);
  }

  /** Of these, due and not fired yet. */
  public long backlog() {
    return read("backlog", JsonObject::integer);
  }

  /** Pushes under way. */
  public long inFlight() {
    return read("in_flight", JsonObject::integer);
  }

  /** Start of a push minus its due, since the start. */
  public StatsLaneLatenessMs latenessMs() {
    return read("lateness_ms", StatsLaneLatenessMs::of);
  }
}
