// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.time.Instant;
import java.util.Map;

/** What came to pass in a step, and what stood. Counters and lateness are of the node that answers. */
public final class HistoryPoint extends JsonObject {
  private HistoryPoint(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static HistoryPoint of(Object json) {
    return json == null ? null : new HistoryPoint(object(json));
  }

  /** `from`. */
  public Instant from() {
    return read("from", JsonObject::moment);
  }

  /** `added`. */
  public long added() {
    return read("added", JsonObject::integer);
  }

  /** `cancelled`. */
  public long cancelled() {
    return read("cancelled", JsonObject::integer);
  }

  /** `fired`. */
  public long fired() {
    return read("fired", JsonObject::integer);
  }

  /** `delivered`. */
  public long delivered() {
    return read("delivered", JsonObject::integer);
  }

  /** Pushes that failed and will be tried again. */
  public long retrying() {
    return read("retrying", JsonObject::integer);
  }

  /** Tasks that became dead letters. */
  public long dead() {
    return read("dead", JsonObject::integer);
  }

  /** `expired`. */
  public long expired() {
    return read("expired", JsonObject::integer);
  }

  /** At the end: scheduled, firing and retrying. */
  public long pending() {
    return read("pending", JsonObject::integer);
  }

  /** At the end. */
  public long deadLetters() {
    return read("dead_letters", JsonObject::integer);
  }

  /** At most: due and not fired. */
  public long backlog() {
    return read("backlog", JsonObject::integer);
  }

  /** At most: pushes under way. */
  public long inFlight() {
    return read("in_flight", JsonObject::integer);
  }

  /** At most. */
  public long oldestOverdueMs() {
    return read("oldest_overdue_ms", JsonObject::integer);
  }

  /** `lateness_ms`. */
  public HistoryPointLatenessMs latenessMs() {
    return read("lateness_ms", HistoryPointLatenessMs::of);
  }

  /** `commit_ms`. */
  public HistoryPointCommitMs commitMs() {
    return read("commit_ms", HistoryPointCommitMs::of);
  }
}
