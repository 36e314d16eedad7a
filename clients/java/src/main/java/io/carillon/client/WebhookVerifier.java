package io.carillon.client;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.function.Function;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Checks the signatures of pushes (Standard Webhooks 1.0). Threads may share it. */
public final class WebhookVerifier {
  private final List<SecretKeySpec> keys;
  private final Duration tolerance;

  /**
   * One that takes timestamps within five minutes of this machine's clock.
   *
   * @param secrets {@code whsec_...}; while they are rotated, the old and the new one
   */
  public WebhookVerifier(String... secrets) {
    this(Arrays.asList(secrets), Duration.ofMinutes(5));
  }

  public WebhookVerifier(Collection<String> secrets, Duration tolerance) {
    if (secrets.isEmpty()) throw new IllegalArgumentException("a verifier needs a secret");
    this.keys = secrets.stream().map(secret -> Base64.getDecoder().decode(secret.replaceFirst("^whsec_", "")))
        .map(key -> new SecretKeySpec(key, "HmacSHA256")).toList();
    this.tolerance = tolerance;
  }

  /**
   * Throws a SignatureException unless the push is genuine.
   *
   * @param body what came, before any parsing
   * @param header gives the value of a header by its name, or null: {@code request::getHeader} of servlets, {@code
   *     exchange.getRequestHeaders()::getFirst} of the JDK's server
   */
  public Push verify(byte[] body, Function<String, String> header) {
    String id = needed(header, "webhook-id");
    String timestamp = needed(header, "webhook-timestamp");
    String signatures = needed(header, "webhook-signature");
    if (!timestamp.matches("[0-9]{1,11}")) throw new SignatureException("webhook-timestamp is no number");
    var sent = Instant.ofEpochSecond(Long.parseLong(timestamp));
    if (Duration.between(sent, Instant.now()).abs().compareTo(tolerance) > 0) {
      throw new SignatureException("webhook-timestamp is too far from now");
    }
    byte[] head = (id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8);
    boolean genuine = false;
    for (var key : keys) {
      byte[] wanted = sign(key, head, body);
      for (String one : signatures.split(" ")) {
        if (one.startsWith("v1,")) genuine |= MessageDigest.isEqual(wanted, one.substring(3).getBytes(StandardCharsets.UTF_8));
      }
    }
    if (!genuine) throw new SignatureException("no signature fits");
    String task = header.apply("carillon-task-id");
    String due = header.apply("carillon-due-at");
    String attempt = header.apply("carillon-attempt");
    return new Push(
        id,
        sent,
        task == null ? null : URLDecoder.decode(task.replace("+", "%2B"), StandardCharsets.UTF_8),
        due == null ? null : Instant.parse(due),
        attempt == null ? null : Integer.valueOf(attempt));
  }

  private static String needed(Function<String, String> header, String name) {
    String value = header.apply(name);
    if (value == null) throw new SignatureException("a push without " + name);
    return value;
  }

  private static byte[] sign(SecretKeySpec key, byte[] head, byte[] body) {
    try {
      var mac = Mac.getInstance(key.getAlgorithm());
      mac.init(key);
      mac.update(head);
      return Base64.getEncoder().encode(mac.doFinal(body));
    } catch (GeneralSecurityException error) {
      throw new IllegalStateException(error);
    }
  }
}
