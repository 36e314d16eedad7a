// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.List;
import java.util.Map;

/** `BatchCancelled` of the API. */
public final class BatchCancelled extends JsonObject {
  private BatchCancelled(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static BatchCancelled of(Object json) {
    return json == null ? null : new BatchCancelled(object(json));
  }

  /** In the order of the request. */
  public List<BatchItem> results() {
    return read("results", value -> list(value, BatchItem::of));
  }

  /** `cancelled`. */
  public long cancelled() {
    return read("cancelled", JsonObject::integer);
  }

  /** `failed`. */
  public long failed() {
    return read("failed", JsonObject::integer);
  }
}
