// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/** What is named changes; null removes group, lane, headers, expire_after, merge_within or retry. */
public final class TaskChange extends JsonObject {
  private TaskChange(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static TaskChange of(Object json) {
    return json == null ? null : new TaskChange(object(json));
  }

  /** `due_at`. Null where there is none. */
  public Instant dueAt() {
    return read("due_at", JsonObject::moment);
  }

  /** `delay`. Null where there is none. */
  public Duration delay() {
    return read("delay", JsonObject::duration);
  }

  /** A target's name, or an http(s) URL. Null where there is none. */
  public String target() {
    return read("target", JsonObject::text);
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

  /** `group`. Null where there is none. */
  public String group() {
    return read("group", JsonObject::text);
  }

  /** `lane`. Null where there is none. */
  public String lane() {
    return read("lane", JsonObject::text);
  }

  /** `key`. Null where there is none. */
  public String key() {
    return read("key", JsonObject::text);
  }

  /** `expire_after`. Null where there is none. */
  public Duration expireAfter() {
    return read("expire_after", JsonObject::duration);
  }

  /**
   * What becomes of it once `expire_after` is over: `drop`, the default, makes it `expired`, `dead` a dead
   * letter that says so. null: `drop`. Null where there is none.
   */
  public OnExpire onExpire() {
    return read("on_expire", value -> enumeration(value, OnExpire.class));
  }

  /** `merge_within`. Null where there is none. */
  public Duration mergeWithin() {
    return read("merge_within", JsonObject::duration);
  }

  /** `retry`. Null where there is none. */
  public Retry retry() {
    return read("retry", Retry::of);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a TaskChange. What is not called is left out. */
  public static final class Builder extends JsonBuilder<TaskChange, Builder> {
    private Builder() {
      super(TaskChange::of);
    }

    /** `due_at`. */
    public Builder dueAt(Instant value) {
      return put("due_at", value);
    }

    /** `delay`. */
    public Builder delay(Duration value) {
      return put("delay", value);
    }

    /** A target's name, or an http(s) URL. */
    public Builder target(String value) {
      return put("target", value);
    }

    /** Any JSON; pushed as application/json exactly as sent. */
    public Builder payload(Object value) {
      return putNullable("payload", value);
    }

    /** Text to push; instead of payload. */
    public Builder body(String value) {
      return put("body", value);
    }

    /** Bytes to push; instead of payload. */
    public Builder bodyBase64(String value) {
      return put("body_base64", value);
    }

    /** Of body (default text/plain; charset=utf-8) or body_base64 (default application/octet-stream). */
    public Builder contentType(String value) {
      return put("content_type", value);
    }

    /** `headers`. */
    public Builder headers(Map<String, String> value) {
      return putNullable("headers", value);
    }

    /** `group`. */
    public Builder group(String value) {
      return putNullable("group", value);
    }

    /** `lane`. */
    public Builder lane(String value) {
      return putNullable("lane", value);
    }

    /** `key`. */
    public Builder key(String value) {
      return putNullable("key", value);
    }

    /** `expire_after`. */
    public Builder expireAfter(Duration value) {
      return putNullable("expire_after", value);
    }

    /**
     * What becomes of it once `expire_after` is over: `drop`, the default, makes it `expired`, `dead` a dead
     * letter that says so. null: `drop`.
     */
    public Builder onExpire(OnExpire value) {
      return putNullable("on_expire", value);
    }

    /** `merge_within`. */
    public Builder mergeWithin(Duration value) {
      return putNullable("merge_within", value);
    }

    /** `retry`. */
    public Builder retry(Retry value) {
      return putNullable("retry", value);
    }
  }
}
