import com.sun.net.httpserver.HttpServer;
import io.carillon.client.CarillonClient;
import io.carillon.client.ConflictException;
import io.carillon.client.json.Json;
import io.carillon.client.json.JsonObject;
import io.carillon.client.model.NewTask;
import io.carillon.client.model.TargetSettings;
import io.carillon.client.testing.TestServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * A shop that cancels an order which is not paid within 30 minutes: a time-out that acts unless it is cancelled
 * first, although the machine that took the order may be gone by then.
 *
 * <p>TestServer is a real Carillon whose clock this program moves; it needs {@code carillond} in the PATH.
 */
public final class UnpaidOrder {
  record Orders(CarillonClient carillon, Map<Long, String> states) {
    void place(long order) {
      states.put(order, "open");
      carillon.createTask(NewTask.builder()
          .id("order-" + order + "-unpaid")
          .delay(Duration.ofMinutes(30))
          .target("unpaid-orders")
          .payload(Map.of("order", order))
          .build());
    }

    /** Paying and timing out race. Whoever is first in Carillon's log wins, and the other one is told. */
    boolean pay(long order) {
      try {
        carillon.cancelTask("order-" + order + "-unpaid");
      } catch (ConflictException tooLate) { // task_firing or task_finished
        return false;
      }
      states.put(order, "paid");
      return true;
    }

    /** Pushes come at least once, so this must be fine to do again: it is. */
    void timeOut(long order) {
      states.put(order, "not paid in time");
    }
  }

  public static void main(String[] args) throws IOException {
    var shop = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    try (var server = TestServer.start()) {
      var orders = new Orders(server.client(), new ConcurrentSkipListMap<>());
      shop.createContext("/", exchange -> {
        var body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        orders.timeOut((Long) JsonObject.object(Json.parse(body)).get("order"));
        exchange.sendResponseHeaders(204, -1);
        exchange.close();
      });
      shop.start();
      String url = "http://127.0.0.1:" + shop.getAddress().getPort() + "/";
      server.client().putTarget("unpaid-orders", TargetSettings.builder().url(url).build());

      orders.place(1);
      orders.place(2);
      server.advance(Duration.ofMinutes(29));
      check(orders.pay(1));
      server.advance(Duration.ofMinutes(1));
      check(!orders.pay(2));
      check(orders.states().equals(Map.of(1L, "paid", 2L, "not paid in time")));
      System.out.println(orders.states());
    } finally {
      shop.stop(0);
    }
  }

  private static void check(boolean holds) {
    if (!holds) throw new AssertionError();
  }
}
