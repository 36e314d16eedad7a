// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.util.Map;

/** What `deleteTarget` may be given. */
public final class DeleteTargetParams extends JsonObject {
  private DeleteTargetParams(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static DeleteTargetParams of(Object json) {
    return json == null ? null : new DeleteTargetParams(object(json));
  }

  /** Delete it although tasks name it. Null where there is none. */
  public Boolean force() {
    return read("force", JsonObject::flag);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a DeleteTargetParams. What is not called is left out. */
  public static final class Builder extends JsonBuilder<DeleteTargetParams, Builder> {
    private Builder() {
      super(DeleteTargetParams::of);
    }

    /** Delete it although tasks name it. */
    public Builder force(boolean value) {
      return put("force", value);
    }
  }
}
