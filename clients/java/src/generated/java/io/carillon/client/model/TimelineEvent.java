// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.time.Instant;
import java.util.Map;

/** `TimelineEvent` of the API. */
public final class TimelineEvent extends JsonObject {
  private TimelineEvent(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static TimelineEvent of(Object json) {
    return json == null ? null : new TimelineEvent(object(json));
  }

  /** `event`. */
  public Event event() {
    return read("event", value -> enumeration(value, Event.class));
  }

  /** When; of an attempt its start. Absent of moved. Null where there is none. */
  public Instant at() {
    return read("at", JsonObject::moment);
  }

  /**
   * Of created and changed: the due that was asked for. Of moved: the one that stands. Null where there is
   * none.
   */
  public Instant dueAt() {
    return read("due_at", JsonObject::moment);
  }

  /** Of moved: the due that was asked for before. Null where there is none. */
  public Instant from() {
    return read("from", JsonObject::moment);
  }

  /** Of a group's operation: the token's name, where one was asked for. Null where there is none. */
  public String who() {
    return read("who", JsonObject::text);
  }

  /** Of a group's operation: what it was answered. Null where there is none. */
  public Map<String, Object> result() {
    return read("result", value -> map(value, JsonObject::any));
  }

  /** Which, from 1. Null where there is none. */
  public Long attempt() {
    return read("attempt", JsonObject::integer);
  }

  /** Of an attempt: its start minus its due. Null where there is none. */
  public Long latenessMs() {
    return read("lateness_ms", JsonObject::integer);
  }

  /** Of an attempt: from its start to the receiver's answer. Null where there is none. */
  public Long durationMs() {
    return read("duration_ms", JsonObject::integer);
  }

  /** `outcome`. Null where there is none. */
  public Outcome outcome() {
    return read("outcome", value -> enumeration(value, Outcome.class));
  }

  /** Of an attempt: the receiver's; absent where none came. Null where there is none. */
  public Long status() {
    return read("status", JsonObject::integer);
  }

  /** Why an attempt failed. Null where there is none. */
  public String error() {
    return read("error", JsonObject::text);
  }

  /** When the attempt after it was due. Null where there is none. */
  public Instant retryAt() {
    return read("retry_at", JsonObject::moment);
  }

  /** How long after the end of the attempt that was. Null where there is none. */
  public Long pauseMs() {
    return read("pause_ms", JsonObject::integer);
  }
}
