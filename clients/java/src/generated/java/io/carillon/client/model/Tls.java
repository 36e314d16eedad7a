// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.util.Map;

/** `Tls` of the API. */
public final class Tls extends JsonObject {
  private Tls(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Tls of(Object json) {
    return json == null ? null : new Tls(object(json));
  }

  /** `verify`. Null where there is none. */
  public Boolean verify() {
    return read("verify", JsonObject::flag);
  }

  /** `ca_file`. Null where there is none. */
  public String caFile() {
    return read("ca_file", JsonObject::text);
  }

  /** `certificate_file`. Null where there is none. */
  public String certificateFile() {
    return read("certificate_file", JsonObject::text);
  }

  /** `private_key_file`. Null where there is none. */
  public String privateKeyFile() {
    return read("private_key_file", JsonObject::text);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a Tls. What is not called is left out. */
  public static final class Builder extends JsonBuilder<Tls, Builder> {
    private Builder() {
      super(Tls::of);
    }

    /** `verify`. */
    public Builder verify(boolean value) {
      return put("verify", value);
    }

    /** `ca_file`. */
    public Builder caFile(String value) {
      return put("ca_file", value);
    }

    /** `certificate_file`. */
    public Builder certificateFile(String value) {
      return put("certificate_file", value);
    }

    /** `private_key_file`. */
    public Builder privateKeyFile(String value) {
      return put("private_key_file", value);
    }
  }
}
