// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.List;
import java.util.Map;

/** `Lane` of the API. */
public final class Lane extends JsonObject {
  private Lane(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Lane of(Object json) {
    return json == null ? null : new Lane(object(json));
  }

  /** `name`. */
  public String name() {
    return read("name", JsonObject::text);
  }

  /**
   * Its part of the slots that nobody reserved, relative to the weights of the other lanes that have due
   * tasks.
   */
  public long weight() {
    return read("weight", JsonObject::integer);
  }

  /**
   * The part of each limit that is set aside for it while it has unfinished tasks there, in steps of 0.001.
   */
  public double reserved() {
    return read("reserved", JsonObject::number);
  }

  /** Unfinished tasks that name it. */
  public long waiting() {
    return read("waiting", JsonObject::integer);
  }

  /** Of these, due and not fired yet. */
  public long backlog() {
    return read("backlog", JsonObject::integer);
  }

  /** Its pushes under way. */
  public long inFlight() {
    return read("in_flight", JsonObject::integer);
  }

  /** Start of a push minus its due, since the start. */
  public LaneLatenessMs latenessMs() {
    return read("lateness_ms", LaneLatenessMs::of);
  }

  /** `silent_shards`. Null where there is none. */
  public List<Long> silentShards() {
    return read("silent_shards", value -> list(value, JsonObject::integer));
  }
}
