// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.List;
import java.util.Map;

/** `ClusterShard` of the API. */
public final class ClusterShard extends JsonObject {
  private ClusterShard(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static ClusterShard of(Object json) {
    return json == null ? null : new ClusterShard(object(json));
  }

  /** `shard`. */
  public long shard() {
    return read("shard", JsonObject::integer);
  }

  /** Null: it is being taken over. Null where there is none. */
  public String owner() {
    return read("owner", JsonObject::text);
  }

  /** How often it has been taken over. */
  public long epoch() {
    return read("epoch", JsonObject::integer);
  }

  /** That its stream has had, as of the owner's last heartbeat. */
  public long messages() {
    return read("messages", JsonObject::integer);
  }

  /** `followers`. */
  public List<ClusterShardFollower> followers() {
    return read("followers", value -> list(value, ClusterShardFollower::of));
  }
}
