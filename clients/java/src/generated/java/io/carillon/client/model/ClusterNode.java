// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.util.List;
import java.util.Map;

/** `ClusterNode` of the API. */
public final class ClusterNode extends JsonObject {
  private ClusterNode(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static ClusterNode of(Object json) {
    return json == null ? null : new ClusterNode(object(json));
  }

  /** `name`. */
  public String name() {
    return read("name", JsonObject::text);
  }

  /** `url`. */
  public String url() {
    return read("url", JsonObject::text);
  }

  /** `version`. */
  public String version() {
    return read("version", JsonObject::text);
  }

  /** It was heard within 3 s. */
  public boolean alive() {
    return read("alive", JsonObject::flag);
  }

  /** `draining`. */
  public boolean draining() {
    return read("draining", JsonObject::flag);
  }

  /** Its clock is more than 1 s off the median of three or more; it owns nothing. */
  public boolean clockOff() {
    return read("clock_off", JsonObject::flag);
  }

  /** Of the clock of the node that answers. */
  public long clockAheadMs() {
    return read("clock_ahead_ms", JsonObject::integer);
  }

  /** `last_heard_ms`. */
  public long lastHeardMs() {
    return read("last_heard_ms", JsonObject::integer);
  }

  /** Shards. */
  public long owns() {
    return read("owns", JsonObject::integer);
  }

  /**
   * Keys of settings, such as horizon, that should be the same on all nodes, and that differ from those of
   * the node that answers.
   */
  public List<String> settingsDiffer() {
    return read("settings_differ", value -> list(value, JsonObject::text));
  }
}
