import io.carillon.client.CarillonClient;
import io.carillon.client.CarillonException;
import io.carillon.client.json.Json;
import io.carillon.client.model.NewTask;
import io.carillon.client.model.State;
import io.carillon.client.model.TargetChange;
import io.carillon.client.model.TargetSettings;
import io.carillon.client.model.Task;
import io.carillon.client.testing.TestServer;
import java.math.BigInteger;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;

/** What the Java client has beyond the contract. */
public final class OwnTest {
  private static final String NOWHERE = "http://127.0.0.1:9/";

  public static void main(String[] args) throws Exception {
    jsonIsReadAndWritten();
    modelsAreReadAndWritten();
    anInterruptEndsACall();
    aServerThatDoesNotStartSaysWhy();
    try (var server = TestServer.start()) {
      aTargetAsReadCanBeSentBack(server.client());
      threadsShareAClient(server.client());
    }
    System.out.println("OwnTest passed on Java " + System.getProperty("java.version"));
  }

  private static void jsonIsReadAndWritten() {
    String text = "{\"a\":[1,-2.5,1.0E30,true,false,null,\"\\\"\\\\\\u0001\u00e9\ud83d\udd14\"],\"b\":{},\"c\":[]}";
    check(Json.write(Json.parse(" " + text.replace(",", " ,\n ").replace(":", "\t: ") + " ")).equals(text), Json.write(Json.parse(text)));
    check(Json.parse("\"\\n\\/\\ud83d\\udd14\"").equals("\n/\ud83d\udd14"), "escapes");
    check(Json.parse("9223372036854775808").equals(new BigInteger("9223372036854775808")), "a large number");
    check(Json.write(List.of(Duration.ofSeconds(90), State.DEAD, 'c', Map.of(1, 2))).equals("[\"PT1M30S\",\"dead\",\"c\",{\"1\":2}]"), "values");
    for (String broken : List.of("", "{", "[1,", "[1 2]", "{\"a\"}", "{,}", "nul", "1.2.3", "\"\\x\"", "\"", "\"\\u12", "1 2", "[".repeat(100_000))) {
      fails(IllegalArgumentException.class, () -> Json.parse(broken));
    }
    fails(IllegalArgumentException.class, () -> Json.write(Double.NaN));
    fails(IllegalArgumentException.class, () -> NewTask.builder().payload(new Object()));
  }

  private static void modelsAreReadAndWritten() {
    var task = NewTask.builder().id("a").target("t").payload(null).group(null).member("later", 1).build();
    check(Json.write(task).equals("{\"id\":\"a\",\"target\":\"t\",\"payload\":null,\"later\":1}"), Json.write(task));
    check(task.equals(NewTask.of(task.json())) && task.hashCode() == NewTask.of(task.json()).hashCode(), "equality");
    check(Task.of(Map.of("state", "resting", "expire_after", "-1m30.5s")).state() == State.UNRECOGNIZED, "an unknown state");
    check(Task.of(Map.of("expire_after", "1d2h3m4.5s")).expireAfter().equals(Duration.parse("PT26H3M4.5S")), "a duration");
  }

  private static void anInterruptEndsACall() throws InterruptedException {
    var thrown = new Throwable[1];
    var thread = new Thread(() -> {
      try {
        CarillonClient.builder(NOWHERE).retries(50).build().getStats();
      } catch (CarillonException error) {
        thrown[0] = error.getCause();
      }
    });
    thread.start();
    Thread.sleep(200);
    thread.interrupt();
    thread.join(10_000);
    check(thrown[0] instanceof InterruptedException, String.valueOf(thrown[0]));
  }

  private static void aServerThatDoesNotStartSaysWhy() {
    fails(IllegalStateException.class, () -> TestServer.start("--nonsense").close());
  }

  private static void aTargetAsReadCanBeSentBack(CarillonClient client) {
    client.putTarget("shop", TargetSettings.builder().url(NOWHERE).concurrency(7).build());
    var target = client.putTarget("shop", TargetSettings.builder().from(client.getTarget("shop")).timeout(Duration.ofSeconds(2)).build());
    client.changeTarget("shop", TargetChange.builder().concurrency(9).paused(null).build());
    check(target.concurrency() == 7 && target.timeout().equals(Duration.ofSeconds(2)), target.toString());
  }

  private static void threadsShareAClient(CarillonClient client) throws InterruptedException {
    var threads = Executors.newFixedThreadPool(8);
    Callable<Object> add = () -> client.createTask(NewTask.builder().delay(Duration.ofHours(1)).target(NOWHERE).group("threads").build());
    threads.invokeAll(Collections.nCopies(200, add));
    threads.shutdown();
    check(client.getGroup("threads").counts().scheduled() == 200, client.getGroup("threads").toString());
  }

  private static void fails(Class<? extends Exception> wanted, Runnable what) {
    try {
      what.run();
    } catch (RuntimeException error) {
      if (wanted.isInstance(error)) return;
      throw error;
    }
    throw new AssertionError("no " + wanted.getSimpleName());
  }

  private static void check(boolean holds, String what) {
    if (!holds) throw new AssertionError(what);
  }
}
