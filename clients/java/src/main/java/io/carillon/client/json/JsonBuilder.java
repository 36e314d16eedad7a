package io.carillon.client.json;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/** What every builder of a model is. */
public abstract class JsonBuilder<T extends JsonObject, B extends JsonBuilder<T, B>> {
  private final Map<String, Object> members = new LinkedHashMap<>();
  private final Function<Object, T> make;

  protected JsonBuilder(Function<Object, T> make) {
    this.make = make;
  }

  /** Takes over the members of another object: of a target as it was read, for instance. */
  public B from(JsonObject other) {
    members.putAll(other.json());
    return self();
  }

  /** Sets a member that this version of the client has no method for. */
  public B member(String name, Object value) {
    return putNullable(name, value);
  }

  public T build() {
    return make.apply(members);
  }

  protected B put(String name, Object value) {
    if (value == null) members.remove(name);
    return value == null ? self() : putNullable(name, value);
  }

  protected B putNullable(String name, Object value) {
    members.put(name, Json.normal(value));
    return self();
  }

  @SuppressWarnings("unchecked")
  private B self() {
    return (B) this;
  }
}
