// Made by clients/generate.py from api/openapi.json.
package io.carillon.client.model;

import io.carillon.client.json.JsonBuilder;
import io.carillon.client.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** `TargetSettings` of the API. */
public final class TargetSettings extends JsonObject {
  private TargetSettings(Map<String, ?> members) {
    super(members);
  }

  /** One with the members of a JSON object. */
  public static TargetSettings of(Object json) {
    return json == null ? null : new TargetSettings(object(json));
  }

  /**
   * Says which of the other members there are: docs/kinds has a page for each but http. Null where there is
   * none.
   */
  public Kind kind() {
    return read("kind", value -> enumeration(value, Kind.class));
  }

  /**
   * Required but for kafka. Of http: http or https. Of redis: redis://HOST:PORT/DATABASE or rediss. Of amqp:
   * amqp://HOST:PORT/VHOST or amqps. Of nats: nats://HOST:PORT or tls. Null where there is none.
   */
  public String url() {
    return read("url", JsonObject::text);
  }

  /** Of amqp: where messages are published; without it, to the default exchange. Null where there is none. */
  public String exchange() {
    return read("exchange", JsonObject::text);
  }

  /**
   * Of amqp: of each message; required without `exchange`, where it names the queue. Null where there is
   * none.
   */
  public String routingKey() {
    return read("routing_key", JsonObject::text);
  }

  /**
   * Of amqp and nats: patterns of keys that tasks may name; `*` stands for any characters. Null where there
   * is none.
   */
  public List<String> keys() {
    return read("keys", value -> list(value, JsonObject::text));
  }

  /** Of amqp: whether messages outlive a restart of the broker. Null where there is none. */
  public Boolean persistent() {
    return read("persistent", JsonObject::flag);
  }

  /** Of amqp: whether a message that no queue takes is a failed attempt. Null where there is none. */
  public Boolean mandatory() {
    return read("mandatory", JsonObject::flag);
  }

  /** Of redis, required: the key of the stream that entries are added to. Null where there is none. */
  public String stream() {
    return read("stream", JsonObject::text);
  }

  /** Of nats, required: the subject that messages are published to. Null where there is none. */
  public String subject() {
    return read("subject", JsonObject::text);
  }

  /**
   * Of kafka, required: HOST:PORT of brokers, which name the others. Also taken as one text with commas. Null
   * where there is none.
   */
  public List<String> brokers() {
    return read("brokers", value -> list(value, JsonObject::text));
  }

  /** Of kafka, required: the topic that messages go to. Null where there is none. */
  public String topic() {
    return read("topic", JsonObject::text);
  }

  /**
   * Of kafka: whose answer counts: `all` replicas that are in sync, or `1`, the leader's. Null where there is
   * none.
   */
  public String acks() {
    return read("acks", JsonObject::text);
  }

  /** Of kafka: how `username` logs in: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. Null where there is none. */
  public String saslMechanism() {
    return read("sasl_mechanism", JsonObject::text);
  }

  /** Of redis: about as many entries of the stream are kept; 0: all. Null where there is none. */
  public Long maxlen() {
    return read("maxlen", JsonObject::integer);
  }

  /**
   * Of redis: how many replicas must have an entry before it counts as delivered. Null where there is none.
   */
  public Long replicas() {
    return read("replicas", JsonObject::integer);
  }

  /** Of brokers; goes with one of the three that follow. Null where there is none. */
  public String username() {
    return read("username", JsonObject::text);
  }

  /** Of brokers; shown as ***, which keeps the stored one when it is sent back. Null where there is none. */
  public String password() {
    return read("password", JsonObject::text);
  }

  /**
   * Of brokers: a file in `secrets_dir` that holds the password; read for each new connection. Null where
   * there is none.
   */
  public String passwordFile() {
    return read("password_file", JsonObject::text);
  }

  /**
   * Of brokers: an environment variable that holds the password; its name begins with CARILLON_SECRET_. Null
   * where there is none.
   */
  public String passwordEnv() {
    return read("password_env", JsonObject::text);
  }

  /**
   * Of nats: a credentials file in `secrets_dir`, in place of user name and password; read for each new
   * connection. Null where there is none.
   */
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

  /**
   * Standard Webhooks secrets; shown as whsec_***, which keeps the stored one when it is sent back. Null
   * where there is none.
   */
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

  /** Taken if it is the name in the path. Null where there is none. */
  public String name() {
    return read("name", JsonObject::text);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Makes a TargetSettings. What is not called is left out. */
  public static final class Builder extends JsonBuilder<TargetSettings, Builder> {
    private Builder() {
      super(TargetSettings::of);
    }

    /** Says which of the other members there are: docs/kinds has a page for each but http. */
    public Builder kind(Kind value) {
      return put("kind", value);
    }

    /**
     * Required but for kafka. Of http: http or https. Of redis: redis://HOST:PORT/DATABASE or rediss. Of
     * amqp: amqp://HOST:PORT/VHOST or amqps. Of nats: nats://HOST:PORT or tls.
     */
    public Builder url(String value) {
      return put("url", value);
    }

    /** Of amqp: where messages are published; without it, to the default exchange. */
    public Builder exchange(String value) {
      return put("exchange", value);
    }

    /** Of amqp: of each message; required without `exchange`, where it names the queue. */
    public Builder routingKey(String value) {
      return put("routing_key", value);
    }

    /** Of amqp and nats: patterns of keys that tasks may name; `*` stands for any characters. */
    public Builder keys(List<String> value) {
      return put("keys", value);
    }

    /** Of amqp: whether messages outlive a restart of the broker. */
    public Builder persistent(boolean value) {
      return put("persistent", value);
    }

    /** Of amqp: whether a message that no queue takes is a failed attempt. */
    public Builder mandatory(boolean value) {
      return put("mandatory", value);
    }

    /** Of redis, required: the key of the stream that entries are added to. */
    public Builder stream(String value) {
      return put("stream", value);
    }

    /** Of nats, required: the subject that messages are published to. */
    public Builder subject(String value) {
      return put("subject", value);
    }

    /**
     * Of kafka, required: HOST:PORT of brokers, which name the others. Also taken as one text with commas.
     */
    public Builder brokers(List<String> value) {
      return put("brokers", value);
    }

    /** Of kafka, required: the topic that messages go to. */
    public Builder topic(String value) {
      return put("topic", value);
    }

    /** Of kafka: whose answer counts: `all` replicas that are in sync, or `1`, the leader's. */
    public Builder acks(String value) {
      return put("acks", value);
    }

    /** Of kafka: how `username` logs in: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. */
    public Builder saslMechanism(String value) {
      return put("sasl_mechanism", value);
    }

    /** Of redis: about as many entries of the stream are kept; 0: all. */
    public Builder maxlen(long value) {
      return put("maxlen", value);
    }

    /** Of redis: how many replicas must have an entry before it counts as delivered. */
    public Builder replicas(long value) {
      return put("replicas", value);
    }

    /** Of brokers; goes with one of the three that follow. */
    public Builder username(String value) {
      return put("username", value);
    }

    /** Of brokers; shown as ***, which keeps the stored one when it is sent back. */
    public Builder password(String value) {
      return put("password", value);
    }

    /** Of brokers: a file in `secrets_dir` that holds the password; read for each new connection. */
    public Builder passwordFile(String value) {
      return put("password_file", value);
    }

    /** Of brokers: an environment variable that holds the password; its name begins with CARILLON_SECRET_. */
    public Builder passwordEnv(String value) {
      return put("password_env", value);
    }

    /**
     * Of nats: a credentials file in `secrets_dir`, in place of user name and password; read for each new
     * connection.
     */
    public Builder credsFile(String value) {
      return put("creds_file", value);
    }

    /** `method`. */
    public Builder method(String value) {
      return put("method", value);
    }

    /** `headers`. */
    public Builder headers(Map<String, String> value) {
      return put("headers", value);
    }

    /** Of a whole push; default 15s. */
    public Builder timeout(Duration value) {
      return put("timeout", value);
    }

    /**
     * How long after its opening a connection is used for pushes; 0: for one push; at most 24h; default 60s.
     */
    public Builder connectionMaxAge(Duration value) {
      return put("connection_max_age", value);
    }

    /** Pushes under way at once; default 64, of brokers 1000. */
    public Builder concurrency(long value) {
      return put("concurrency", value);
    }

    /** `rate`. */
    public Builder rate(Rate value) {
      return put("rate", value);
    }

    /** `batch`. */
    public Builder batch(Batch value) {
      return put("batch", value);
    }

    /** `retry`. */
    public Builder retry(Retry value) {
      return put("retry", value);
    }

    /** `breaker`. */
    public Builder breaker(Breaker value) {
      return put("breaker", value);
    }

    /**
     * After 429, 503 with Retry-After, or a broker's word that means as much, nothing is pushed to it for so
     * long at most; default 5m.
     */
    public Builder holdMax(Duration value) {
      return put("hold_max", value);
    }

    /** Standard Webhooks secrets; shown as whsec_***, which keeps the stored one when it is sent back. */
    public Builder secrets(List<String> value) {
      return put("secrets", value);
    }

    /** `tls`. */
    public Builder tls(Tls value) {
      return put("tls", value);
    }

    /** `paused`. */
    public Builder paused(boolean value) {
      return put("paused", value);
    }

    /** Taken if it is the name in the path. */
    public Builder name(String value) {
      return put("name", value);
    }
  }
}
