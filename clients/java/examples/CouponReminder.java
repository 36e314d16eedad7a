import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.carillon.client.CarillonClient;
import io.carillon.client.Push;
import io.carillon.client.SignatureException;
import io.carillon.client.WebhookVerifier;
import io.carillon.client.json.Json;
import io.carillon.client.json.JsonObject;
import io.carillon.client.model.NewTask;
import io.carillon.client.model.TargetSettings;
import io.carillon.client.testing.TestServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;

/**
 * A shop that reminds its users one minute before a coupon opens. Each may change their mind, and again.
 *
 * <p>It is also how to test such a program: TestServer is a real Carillon whose clock the test moves, so that nobody
 * has to wait for ten minutes. It needs {@code carillond} in the PATH.
 */
public final class CouponReminder {
  // From your vault; `openssl rand -base64 24` makes one.
  private static final String SECRET = "whsec_Y291cG9uLXJlbWluZGVyLWV4YW1wbGUh";

  /** What reminds. Whoever subscribes twice is reminded once, and nothing is lost if this process ends. */
  record Reminders(CarillonClient carillon) {
    void subscribe(String user, String coupon, Instant opens) {
      carillon.createTask(NewTask.builder()
          .id(user + ":" + coupon)
          .dueAt(opens.minus(Duration.ofMinutes(1)))
          .target("reminders")
          .group(coupon)
          .payload(Map.of("user", user, "coupon", coupon))
          .build());
    }

    void unsubscribe(String user, String coupon) {
      carillon.cancelTask(user + ":" + coupon);
    }

    /** The coupon opens later, or sooner: one call moves everybody. */
    long postpone(String coupon, Duration by) {
      return carillon.shiftGroup(coupon, by).shifted();
    }
  }

  /** What Carillon calls when a reminder is due. */
  record Receiver(WebhookVerifier verifier, Set<String> seen, Set<String> reminded) {
    void handle(HttpExchange exchange) throws IOException {
      byte[] body = exchange.getRequestBody().readAllBytes();
      int status = 204;
      try {
        Push push = verifier.verify(body, exchange.getRequestHeaders()::getFirst);
        // `seen` is in your database: a repeated webhook-id is a repeated push.
        if (seen.add(push.webhookId())) {
          reminded.add((String) JsonObject.object(Json.parse(new String(body, StandardCharsets.UTF_8))).get("user"));
        }
      } catch (SignatureException error) {
        status = 400;
      }
      exchange.sendResponseHeaders(status, -1);
      exchange.close();
    }
  }

  public static void main(String[] args) throws IOException {
    var receiver = new Receiver(new WebhookVerifier(SECRET), ConcurrentHashMap.newKeySet(), new ConcurrentSkipListSet<>());
    var shop = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    shop.createContext("/remind", receiver::handle);
    shop.start();
    try (var server = TestServer.start()) {
      server.client().putTarget("reminders", TargetSettings.builder()
          .url("http://127.0.0.1:" + shop.getAddress().getPort() + "/remind")
          .secrets(List.of(SECRET))
          .build());
      var reminders = new Reminders(server.client());
      Instant opens = server.now().plus(Duration.ofMinutes(10));

      for (String user : List.of("ada", "bob", "cyd", "dan")) reminders.subscribe(user, "spring", opens);
      reminders.unsubscribe("bob", "spring");
      reminders.unsubscribe("cyd", "spring");
      reminders.subscribe("cyd", "spring", opens);
      check(reminders.postpone("spring", Duration.ofMinutes(5)) == 3);

      server.advance(Duration.ofMinutes(13));
      check(receiver.reminded().isEmpty());
      server.advance(Duration.ofMinutes(1));
      check(receiver.reminded().equals(Set.of("ada", "cyd", "dan")));
      System.out.println("reminded one minute before the coupon opens: " + receiver.reminded());
    } finally {
      shop.stop(0);
    }
  }

  private static void check(boolean holds) {
    if (!holds) throw new AssertionError();
  }
}
