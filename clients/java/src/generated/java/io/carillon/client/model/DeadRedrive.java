// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.time.Instant;
import java.util.Map;

/** `DeadRedrive` of the API. */
public final class DeadRedrive extends JsonObject {
  private DeadRedrive(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static DeadRedrive of(Object json) {
    return json == null ? null : new DeadRedrive(object(json));
  }

  /** `group`. Null where there is none. */
  public String group() {
    return read("group", JsonObject::text);
  }

  /** `target`. Null where there is none. */
  public String target() {
    return read("target", JsonObject::text);
  }

  /** `due_from`. Null where there is none. */
  public Instant dueFrom() {
    return read("due_from", JsonObject::moment);
  }

  /** `due_to`. Null where there is none. */
  public Instant dueTo() {
    return read("due_to", JsonObject::moment);
  }

  /** `operation`. Null where there is none. */
  public String operation() {
    return read("operation", JsonObject::text);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a DeadRedrive. What is not called is left out. */
  public static final class Builder extends JsonBuilder<DeadRedrive, Builder> {
    private Builder() {
      super(DeadRedrive::of);
    }

    /** `group`. */
    public Builder group(String value) {
      return put("group", value);
    }

    /** `target`. */
    public Builder target(String value) {
      return put("target", value);
    }

    /** `due_from`. */
    public Builder dueFrom(Instant value) {
      return put("due_from", value);
    }

    /** `due_to`. */
    public Builder dueTo(Instant value) {
      return put("due_to", value);
    }

    /** `operation`. */
    public Builder operation(String value) {
      return put("operation", value);
    }
  }
}
