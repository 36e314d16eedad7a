// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.time.Instant;
import java.util.Map;

/** `BatchItem` of the API. */
public final class BatchItem extends JsonObject {
  private BatchItem(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static BatchItem of(Object json) {
    return json == null ? null : new BatchItem(object(json));
  }

  /** `id`. Null where there is none. */
  public String id() {
    return read("id", JsonObject::text);
  }

  /** As a single call would have had it. */
  public long status() {
    return read("status", JsonObject::integer);
  }

  /** `type`. Null where there is none. */
  public String type() {
    return read("type", JsonObject::text);
  }

  /** `title`. Null where there is none. */
  public String title() {
    return read("title", JsonObject::text);
  }

  /** `detail`. Null where there is none. */
  public String detail() {
    return read("detail", JsonObject::text);
  }

  /** `field`. Null where there is none. */
  public String field() {
    return read("field", JsonObject::text);
  }

  /** `state`. Null where there is none. */
  public State state() {
    return read("state", value -> enumeration(value, State.class));
  }

  /** `attempt`. Null where there is none. */
  public Long attempt() {
    return read("attempt", JsonObject::integer);
  }

  /** `at`. Null where there is none. */
  public Instant at() {
    return read("at", JsonObject::moment);
  }

  /** `attempts`. Null where there is none. */
  public Long attempts() {
    return read("attempts", JsonObject::integer);
  }
}
