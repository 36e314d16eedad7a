// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.List;
import java.util.Map;

/** `BatchCreated` of the API. */
public final class BatchCreated extends JsonObject {
  private BatchCreated(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static BatchCreated of(Object json) {
    return json == null ? null : new BatchCreated(object(json));
  }

  /** In the order of the request. */
  public List<BatchItem> results() {
    return read("results", value -> list(value, BatchItem::of));
  }

  /** `created`. */
  public long created() {
    return read("created", JsonObject::integer);
  }

  /** `failed`. */
  public long failed() {
    return read("failed", JsonObject::integer);
  }
}
