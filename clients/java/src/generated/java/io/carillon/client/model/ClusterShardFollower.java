// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.Map;

/** `ClusterShardFollower` of the API. */
public final class ClusterShardFollower extends JsonObject {
  private ClusterShardFollower(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static ClusterShardFollower of(Object json) {
    return json == null ? null : new ClusterShardFollower(object(json));
  }

  /** `node`. */
  public String node() {
    return read("node", JsonObject::text);
  }

  /** Messages, as of the last heartbeats. */
  public long behind() {
    return read("behind", JsonObject::integer);
  }
}
