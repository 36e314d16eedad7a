// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.time.Duration;
import java.util.Map;

/** Of kind http: due tasks of one lane go together in one push, as docs/batches.md has it. */
public final class Batch extends JsonObject {
  private Batch(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Batch of(Object json) {
    return json == null ? null : new Batch(object(json));
  }

  /** `tasks_max`. Null where there is none. */
  public Long tasksMax() {
    return read("tasks_max", JsonObject::integer);
  }

  /** Of the body of a push, 1KiB to 16MiB; default 1MiB. Null where there is none. */
  public String bytesMax() {
    return read("bytes_max", JsonObject::text);
  }

  /** How long the first that is due waits for others, 0 to 1m; default 5ms. Null where there is none. */
  public Duration waitMax() {
    return read("wait_max", JsonObject::duration);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a Batch. What is not called is left out. */
  public static final class Builder extends JsonBuilder<Batch, Builder> {
    private Builder() {
      super(Batch::of);
    }

    /** `tasks_max`. */
    public Builder tasksMax(long value) {
      return put("tasks_max", value);
    }

    /** Of the body of a push, 1KiB to 16MiB; default 1MiB. */
    public Builder bytesMax(String value) {
      return put("bytes_max", value);
    }

    /** How long the first that is due waits for others, 0 to 1m; default 5ms. */
    public Builder waitMax(Duration value) {
      return put("wait_max", value);
    }
  }
}
