// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** `Stats` of the API. */
public final class Stats extends JsonObject {
  private Stats(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Stats of(Object json) {
    return json == null ? null : new Stats(object(json));
  }

  /** `version`. */
  public String version() {
    return read("version", JsonObject::text);
  }

  /** `now`. */
  public Instant now() {
    return read("now", JsonObject::moment);
  }

  /** `counts`. */
  public Counts counts() {
    return read("counts", Counts::of);
  }

  /** `backlog`. */
  public long backlog() {
    return read("backlog", JsonObject::integer);
  }

  /** `oldest_overdue`. Null where there is none. */
  public Duration oldestOverdue() {
    return read("oldest_overdue", JsonObject::duration);
  }

  /** Start of a push minus its due, since the start. */
  public StatsLatenessMs latenessMs() {
    return read("lateness_ms", StatsLatenessMs::of);
  }

  /** By the lane's name. */
  public Map<String, StatsLane> lanes() {
    return read("lanes", value -> map(value, StatsLane::of));
  }

  /** `storage`. */
  public StatsStorage storage() {
    return read("storage", StatsStorage::of);
  }

  /** `delivery`. */
  public StatsDelivery delivery() {
    return read("delivery", StatsDelivery::of);
  }

  /** `memory`. */
  public StatsMemory memory() {
    return read("memory", StatsMemory::of);
  }

  /** `silent_shards`. Null where there is none. */
  public List<Long> silentShards() {
    return read("silent_shards", value -> list(value, JsonObject::integer));
  }
}
