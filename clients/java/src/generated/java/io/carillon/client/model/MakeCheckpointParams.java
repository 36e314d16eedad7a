// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.util.Map;

/** What `makeCheckpoint` is given. */
public final class MakeCheckpointParams extends JsonObject {
  private MakeCheckpointParams(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static MakeCheckpointParams of(Object json) {
    return json == null ? null : new MakeCheckpointParams(object(json));
  }

  /** Absolute path on the server's machine; must not exist. */
  public String dir() {
    return read("dir", JsonObject::text);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a MakeCheckpointParams. What is not called is left out. */
  public static final class Builder extends JsonBuilder<MakeCheckpointParams, Builder> {
    private Builder() {
      super(MakeCheckpointParams::of);
    }

    /** Absolute path on the server's machine; must not exist. */
    public Builder dir(String value) {
      return put("dir", value);
    }
  }
}
