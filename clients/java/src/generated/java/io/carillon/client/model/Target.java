// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** `Target` of the API. */
public final class Target extends JsonObject {
  private Target(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static Target of(Object json) {
    return json == null ? null : new Target(object(json));
  }

  /** `name`. */
  public String name() {
    return read("name", JsonObject::text);
  }

  /** `kind`. Null where there is none. */
  public Kind kind() {
    return read("kind", value -> enumeration(value, Kind.class));
  }

  /** Its query is shown to the role admin, to others as `***`. Null where there is none. */
  public String url() {
    return read("url", JsonObject::text);
  }

  /** `exchange`. Null where there is none. */
  public String exchange() {
    return read("exchange", JsonObject::text);
  }

  /** `routing_key`. Null where there is none. */
  public String routingKey() {
    return read("routing_key", JsonObject::text);
  }

  /** Left out where there are none. Null where there is none. */
  public List<String> keys() {
    return read("keys", value -> list(value, JsonObject::text));
  }

  /** `persistent`. Null where there is none. */
  public Boolean persistent() {
    return read("persistent", JsonObject::flag);
  }

  /** `subject`. Null where there is none. */
  public String subject() {
    return read("subject", JsonObject::text);
  }

  /** `brokers`. Null where there is none. */
  public List<String> brokers() {
    return read("brokers", value -> list(value, JsonObject::text));
  }

  /** `topic`. Null where there is none. */
  public String topic() {
    return read("topic", JsonObject::text);
  }

  /** `acks`. Null where there is none. */
  public String acks() {
    return read("acks", JsonObject::text);
  }

  /** `sasl_mechanism`. Null where there is none. */
  public String saslMechanism() {
    return read("sasl_mechanism", JsonObject::text);
  }

  /** `mandatory`. Null where there is none. */
  public Boolean mandatory() {
    return read("mandatory", JsonObject::flag);
  }

  /** `stream`. Null where there is none. */
  public String stream() {
    return read("stream", JsonObject::text);
  }

  /** `maxlen`. Null where there is none. */
  public Long maxlen() {
    return read("maxlen", JsonObject::integer);
  }

  /** `replicas`. Null where there is none. */
  public Long replicas() {
    return read("replicas", JsonObject::integer);
  }

  /** `username`. Null where there is none. */
  public String username() {
    return read("username", JsonObject::text);
  }

  /** Shown as ***. Null where there is none. */
  public String password() {
    return read("password", JsonObject::text);
  }

  /** `password_file`. Null where there is none. */
  public String passwordFile() {
    return read("password_file", JsonObject::text);
  }

  /** `password_env`. Null where there is none. */
  public String passwordEnv() {
    return read("password_env", JsonObject::text);
  }

  /** `creds_file`. Null where there is none. */
  public String credsFile() {
    return read("creds_file", JsonObject::text);
  }

  /** `method`. Null where there is none. */
  public String method() {
    return read("method", JsonObject::text);
  }

  /** `headers`. Null where there is none. */
  public Map<String, String> headers() {
    return read("headers", value -> map(value, JsonObject::text));
  }

  /** Of a whole push; default 15s. Null where there is none. */
  public Duration timeout() {
    return read("timeout", JsonObject::duration);
  }

  /**
   * How long after its opening a connection is used for pushes; 0: for one push; at most 24h; default 60s.
   * Null where there is none.
   */
  public Duration connectionMaxAge() {
    return read("connection_max_age", JsonObject::duration);
  }

  /** Pushes under way at once; default 64, of brokers 1000. Null where there is none. */
  public Long concurrency() {
    return read("concurrency", JsonObject::integer);
  }

  /** `rate`. Null where there is none. */
  public Rate rate() {
    return read("rate", Rate::of);
  }

  /** `batch`. Null where there is none. */
  public Batch batch() {
    return read("batch", Batch::of);
  }

  /** `retry`. Null where there is none. */
  public Retry retry() {
    return read("retry", Retry::of);
  }

  /** `breaker`. Null where there is none. */
  public Breaker breaker() {
    return read("breaker", Breaker::of);
  }

  /**
   * After 429, 503 with Retry-After, or a broker's word that means as much, nothing is pushed to it for so
   * long at most; default 5m. Null where there is none.
   */
  public Duration holdMax() {
    return read("hold_max", JsonObject::duration);
  }

  /** Standard Webhooks secrets; shown as whsec_***. Null where there is none. */
  public List<String> secrets() {
    return read("secrets", value -> list(value, JsonObject::text));
  }

  /** `tls`. Null where there is none. */
  public Tls tls() {
    return read("tls", Tls::of);
  }

  /** `paused`. Null where there is none. */
  public Boolean paused() {
    return read("paused", JsonObject::flag);
  }

  /** Unfinished tasks that name it. */
  public long waiting() {
    return read("waiting", JsonObject::integer);
  }

  /** Of these, due and not fired yet. */
  public long backlog() {
    return read("backlog", JsonObject::integer);
  }

  /** Pushes under way. */
  public long inFlight() {
    return read("in_flight", JsonObject::integer);
  }

  /**
   * Nothing is pushed to it, or one task at a time once `until` is past, because it asked for that or keeps
   * failing. Null where there is none.
   */
  public TargetHeld held() {
    return read("held", TargetHeld::of);
  }

  /** `silent_shards`. Null where there is none. */
  public List<Long> silentShards() {
    return read("silent_shards", value -> list(value, JsonObject::integer));
  }
}
