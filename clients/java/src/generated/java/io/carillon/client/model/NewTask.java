// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/**
 * A field that is null is as if it were absent; only a payload that is null, without a body, is the JSON
 * null.
 */
public final class NewTask extends JsonObject {
  private NewTask(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static NewTask of(Object json) {
    return json == null ? null : new NewTask(object(json));
  }

  /** Without it, a UUIDv7 is made. Null where there is none. */
  public String id() {
    return read("id", JsonObject::text);
  }

  /** `due_at`. Null where there is none. */
  public Instant dueAt() {
    return read("due_at", JsonObject::moment);
  }

  /** `delay`. Null where there is none. */
  public Duration delay() {
    return read("delay", JsonObject::duration);
  }

  /** A target's name, or an http(s) URL. */
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

  /**
   * Of tasks for targets of amqp, nats and kafka, in the place of the target's routing key or subject, or as
   * the message's key. One of the target's `keys` must allow it; of kafka any is taken. Null where there is
   * none.
   */
  public String key() {
    return read("key", JsonObject::text);
  }

  /** Dropped if it could not be pushed within this long after due. Null where there is none. */
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
   * How long before its due it may be pushed together with another task of the same part of its id (the text
   * in braces), target and lane, which is due no further from it than both allow; up to 1h. 422 `unmergeable`
   * where the id has no such part, or the target is a URL or of a kind that takes each task by itself. Null
   * where there is none.
   */
  public Duration mergeWithin() {
    return read("merge_within", JsonObject::duration);
  }

  /** `retry`. Null where there is none. */
  public Retry retry() {
    return read("retry", Retry::of);
  }

  /** What to do where the id names another unfinished task. Null where there is none. */
  public IfExists ifExists() {
    return read("if_exists", value -> enumeration(value, IfExists.class));
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a NewTask. What is not called is left out. */
  public static final class Builder extends JsonBuilder<NewTask, Builder> {
    private Builder() {
      super(NewTask::of);
    }

    /** Without it, a UUIDv7 is made. */
    public Builder id(String value) {
      return put("id", value);
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
      return put("headers", value);
    }

    /** `group`. */
    public Builder group(String value) {
      return put("group", value);
    }

    /** `lane`. */
    public Builder lane(String value) {
      return put("lane", value);
    }

    /**
     * Of tasks for targets of amqp, nats and kafka, in the place of the target's routing key or subject, or
     * as the message's key. One of the target's `keys` must allow it; of kafka any is taken.
     */
    public Builder key(String value) {
      return put("key", value);
    }

    /** Dropped if it could not be pushed within this long after due. */
    public Builder expireAfter(Duration value) {
      return put("expire_after", value);
    }

    /**
     * What becomes of it once `expire_after` is over: `drop`, the default, makes it `expired`, `dead` a dead
     * letter that says so.
     */
    public Builder onExpire(OnExpire value) {
      return put("on_expire", value);
    }

    /**
     * How long before its due it may be pushed together with another task of the same part of its id (the
     * text in braces), target and lane, which is due no further from it than both allow; up to 1h. 422
     * `unmergeable` where the id has no such part, or the target is a URL or of a kind that takes each task
     * by itself.
     */
    public Builder mergeWithin(Duration value) {
      return put("merge_within", value);
    }

    /** `retry`. */
    public Builder retry(Retry value) {
      return put("retry", value);
    }

    /** What to do where the id names another unfinished task. */
    public Builder ifExists(IfExists value) {
      return put("if_exists", value);
    }
  }
}
