// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.util.Map;

/** `LaneSettings` of the API. */
public final class LaneSettings extends JsonObject {
  private LaneSettings(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static LaneSettings of(Object json) {
    return json == null ? null : new LaneSettings(object(json));
  }

  /**
   * Its part of the slots that nobody reserved, relative to the weights of the other lanes that have due
   * tasks. Null where there is none.
   */
  public Long weight() {
    return read("weight", JsonObject::integer);
  }

  /**
   * The part of each limit that is set aside for it while it has unfinished tasks there, in steps of 0.001.
   * Null where there is none.
   */
  public Double reserved() {
    return read("reserved", JsonObject::number);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a LaneSettings. What is not called is left out. */
  public static final class Builder extends JsonBuilder<LaneSettings, Builder> {
    private Builder() {
      super(LaneSettings::of);
    }

    /**
     * Its part of the slots that nobody reserved, relative to the weights of the other lanes that have due
     * tasks.
     */
    public Builder weight(long value) {
      return put("weight", value);
    }

    /**
     * The part of each limit that is set aside for it while it has unfinished tasks there, in steps of 0.001.
     */
    public Builder reserved(double value) {
      return put("reserved", value);
    }
  }
}
