// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.List;
import java.util.Map;

/** `Cluster` of the API. */
public final class Cluster extends JsonObject {
  private Cluster(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Cluster of(Object json) {
    return json == null ? null : new Cluster(object(json));
  }

  /** `name`. */
  public String name() {
    return read("name", JsonObject::text);
  }

  /** Made with the cluster. */
  public String id() {
    return read("id", JsonObject::text);
  }

  /** The one that answers. */
  public String node() {
    return read("node", JsonObject::text);
  }

  /** `nodes`. */
  public List<ClusterNode> nodes() {
    return read("nodes", value -> list(value, ClusterNode::of));
  }

  /** `shards`. */
  public List<ClusterShard> shards() {
    return read("shards", value -> list(value, ClusterShard::of));
  }
}
