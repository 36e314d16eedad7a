// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/** What is not set is left out. */
public final class Task extends JsonObject {
  private Task(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Task of(Object json) {
    return json == null ? null : new Task(object(json));
  }

  /** `id`. */
  public String id() {
    return read("id", JsonObject::text);
  }

  /** `state`. */
  public State state() {
    return read("state", value -> enumeration(value, State.class));
  }

  /** `due_at`. */
  public Instant dueAt() {
    return read("due_at", JsonObject::moment);
  }

  /** `created_at`. */
  public Instant createdAt() {
    return read("created_at", JsonObject::moment);
  }

  /** Of a dead letter that was sent again. Null where there is none. */
  public Instant redrivenAt() {
    return read("redriven_at", JsonObject::moment);
  }

  /**
   * A target's name, or an http(s) URL. Its query is shown to the roles write and admin; to others as `***`.
   */
  public String target() {
    return read("target", JsonObject::text);
  }

  /** `group`. Null where there is none. */
  public String group() {
    return read("group", JsonObject::text);
  }

  /** `lane`. Null where there is none. */
  public String lane() {
    return read("lane", JsonObject::text);
  }

  /**
   * Of tasks for targets of amqp, nats and kafka, in the place of the target's routing key or subject, or as
   * the message's key. One of the target's `keys` must allow it; of kafka any is taken. Null where there is
   * none.
   */
  public String key() {
    return read("key", JsonObject::text);
  }

  /** Pushes that have begun. */
  public long attempt() {
    return read("attempt", JsonObject::integer);
  }

  /** `next_attempt_at`. Null where there is none. */
  public Instant nextAttemptAt() {
    return read("next_attempt_at", JsonObject::moment);
  }

  /** `finished_at`. Null where there is none. */
  public Instant finishedAt() {
    return read("finished_at", JsonObject::moment);
  }

  /** `last_attempt_at`. Null where there is none. */
  public Instant lastAttemptAt() {
    return read("last_attempt_at", JsonObject::moment);
  }

  /** HTTP status that the receiver answered last. Null where there is none. */
  public Long lastStatus() {
    return read("last_status", JsonObject::integer);
  }

  /** Why the last push failed. Null where there is none. */
  public String lastError() {
    return read("last_error", JsonObject::text);
  }

  /** `expire_after`. Null where there is none. */
  public Duration expireAfter() {
    return read("expire_after", JsonObject::duration);
  }

  /**
   * What becomes of it once `expire_after` is over: `drop`, the default, makes it `expired`, `dead` a dead
   * letter that says so. Null where there is none.
   */
  public OnExpire onExpire() {
    return read("on_expire", value -> enumeration(value, OnExpire.class));
  }

  /**
   * How long before its due it may be pushed together with another task of the same part of its id. Null
   * where there is none.
   */
  public Duration mergeWithin() {
    return read("merge_within", JsonObject::duration);
  }

  /** `retry`. Null where there is none. */
  public Retry retry() {
    return read("retry", Retry::of);
  }

  /** Any JSON; pushed as application/json exactly as sent. Null where there is none. */
  public Object payload() {
    return read("payload", JsonObject::any);
  }

  /** Text to push; instead of payload. Null where there is none. */
  public String body() {
    return read("body", JsonObject::text);
  }

  /** Bytes to push; instead of payload. Null where there is none. */
  public String bodyBase64() {
    return read("body_base64", JsonObject::text);
  }

  /**
   * Of body (default text/plain; charset=utf-8) or body_base64 (default application/octet-stream). Null where
   * there is none.
   */
  public String contentType() {
    return read("content_type", JsonObject::text);
  }

  /** `headers`. Null where there is none. */
  public Map<String, String> headers() {
    return read("headers", value -> map(value, JsonObject::text));
  }
}
