// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** `Counts` of the API. */
public final class Counts extends JsonObject {
  private Counts(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Counts of(Object json) {
    return json == null ? null : new Counts(object(json));
  }

  /** `scheduled`. */
  public long scheduled() {
    return read("scheduled", JsonObject::integer);
  }

  /** `firing`. */
  public long firing() {
    return read("firing", JsonObject::integer);
  }

  /** `retrying`. */
  public long retrying() {
    return read("retrying", JsonObject::integer);
  }

  /** `delivered`. */
  public long delivered() {
    return read("delivered", JsonObject::integer);
  }

  /** `dead`. */
  public long dead() {
    return read("dead", JsonObject::integer);
  }

  /** `expired`. */
  public long expired() {
    return read("expired", JsonObject::integer);
  }

  /** `cancelled`. */
  public long cancelled() {
    return read("cancelled", JsonObject::integer);
  }
}
