// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.time.Instant;
import java.util.Map;

/** What `listTasks` may be given. */
public final class ListTasksParams extends JsonObject {
  private ListTasksParams(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static ListTasksParams of(Object json) {
    return json == null ? null : new ListTasksParams(object(json));
  }

  /** Only tasks of this group. Null where there is none. */
  public String group() {
    return read("group", JsonObject::text);
  }

  /** Only tasks with this target, as they name it. Null where there is none. */
  public String target() {
    return read("target", JsonObject::text);
  }

  /** Only tasks of this lane. Null where there is none. */
  public String lane() {
    return read("lane", JsonObject::text);
  }

  /** Only tasks in this state. Null where there is none. */
  public State state() {
    return read("state", value -> enumeration(value, State.class));
  }

  /** Due at this moment or later. Null where there is none. */
  public Instant dueFrom() {
    return read("due_from", JsonObject::moment);
  }

  /** Due before this moment. Null where there is none. */
  public Instant dueTo() {
    return read("due_to", JsonObject::moment);
  }

  /** At most so many tasks. Null where there is none. */
  public Long limit() {
    return read("limit", JsonObject::integer);
  }

  /** `next_cursor` of the page before; the filter must be the same. Null where there is none. */
  public String cursor() {
    return read("cursor", JsonObject::text);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a ListTasksParams. What is not called is left out. */
  public static final class Builder extends JsonBuilder<ListTasksParams, Builder> {
    private Builder() {
      super(ListTasksParams::of);
    }

    /** Only tasks of this group. */
    public Builder group(String value) {
      return put("group", value);
    }

    /** Only tasks with this target, as they name it. */
    public Builder target(String value) {
      return put("target", value);
    }

    /** Only tasks of this lane. */
    public Builder lane(String value) {
      return put("lane", value);
    }

    /** Only tasks in this state. */
    public Builder state(State value) {
      return put("state", value);
    }

    /** Due at this moment or later. */
    public Builder dueFrom(Instant value) {
      return put("due_from", value);
    }

    /** Due before this moment. */
    public Builder dueTo(Instant value) {
      return put("due_to", value);
    }

    /** At most so many tasks. */
    public Builder limit(long value) {
      return put("limit", value);
    }

    /** `next_cursor` of the page before; the filter must be the same. */
    public Builder cursor(String value) {
      return put("cursor", value);
    }
  }
}
