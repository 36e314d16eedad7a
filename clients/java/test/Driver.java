import io.carillon.client.CarillonClient;
import io.carillon.client.CarillonException;
import io.carillon.client.ConflictException;
import io.carillon.client.NoAnswerException;
import io.carillon.client.NotFoundException;
import io.carillon.client.ProblemException;
import io.carillon.client.Push;
import io.carillon.client.SignatureException;
import io.carillon.client.WebhookVerifier;
import io.carillon.client.json.Json;
import io.carillon.client.json.JsonObject;
import io.carillon.client.model.CancelTasksParams;
import io.carillon.client.model.NewTask;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Makes the calls of clients/contract/run.py with the Java client: a JSON line for each in, and out. */
final class Driver {
  private static final Map<Object, CarillonClient> CLIENTS = new HashMap<>();

  public static void main(String[] args) throws Exception {
    var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      var answer = new HashMap<String, Object>();
      try {
        answer.put("result", plain(perform(JsonObject.object(Json.parse(line)))));
      } catch (InvocationTargetException error) {
        answer.put("error", describe(error.getCause()));
      } catch (Exception error) {
        answer.put("error", describe(error));
      }
      System.out.write((Json.write(answer) + "\n").getBytes(StandardCharsets.UTF_8));
      System.out.flush();
    }
  }

  @SuppressWarnings("unchecked")
  private static Object perform(Map<String, Object> step) throws Exception {
    String call = (String) step.get("call");
    Object params = step.get("params");
    if (call.equals("verify")) return verify(JsonObject.object(params));
    var client = CLIENTS.computeIfAbsent(step.get("client"), settings -> client(JsonObject.object(settings)));
    if (call.equals("createTasks")) {
      var tasks = (List<Object>) params;
      if (tasks.get(0) instanceof String) return client.importTasks(tasks.stream().map(String.class::cast));
      return client.createTasks(tasks.stream().map(NewTask::of).toList());
    }
    if (call.equals("cancelTasks")) {
      var rest = new LinkedHashMap<>(JsonObject.object(params));
      return client.cancelTasks((List<String>) rest.remove("ids"), CancelTasksParams.of(rest));
    }
    var given = new ArrayList<Object>((List<Object>) step.getOrDefault("path", List.of()));
    int fewest = given.size();
    String name = call.replaceFirst("^iterate", "stream");
    for (Method method : CarillonClient.class.getMethods()) {
      int count = method.getParameterCount();
      if (!method.getName().equals(name) || method.isBridge()) continue;
      if (params == null && count == fewest && !takesModel(method)) return method.invoke(client, given.toArray());
      if (count == fewest + 1 && takesModel(method)) {
        var type = method.getParameterTypes()[fewest];
        given.add(type.getMethod("of", Object.class).invoke(null, params == null ? Map.of() : params));
        return method.invoke(client, given.toArray());
      }
    }
    throw new IllegalArgumentException("no method for " + step);
  }

  private static boolean takesModel(Method method) {
    return Arrays.stream(method.getParameterTypes()).anyMatch(JsonObject.class::isAssignableFrom);
  }

  private static CarillonClient client(Map<String, Object> settings) {
    var urls = settings.get("url") instanceof List<?> list ? list.toArray(String[]::new) : new String[] {(String) settings.get("url")};
    var builder = CarillonClient.builder(urls).token((String) settings.get("token"));
    if (settings.get("retries") instanceof Long retries) builder.retries(retries.intValue());
    if (settings.get("timeout") instanceof Number seconds) builder.timeout(Duration.ofMillis((long) (seconds.doubleValue() * 1000)));
    if (settings.get("batch") instanceof Map<?, ?> batch) {
      builder.batch(batch.get("tasks") instanceof Long tasks ? tasks.intValue() : 10_000, batch.get("bytes") instanceof Long bytes ? bytes.intValue() : 1 << 24);
    }
    return builder.build();
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> verify(Map<String, Object> params) {
    var verifier = new WebhookVerifier((List<String>) params.get("secrets"), Duration.ofSeconds((Long) params.get("tolerance")));
    var headers = JsonObject.object(params.get("headers"));
    Push push = verifier.verify(((String) params.get("body")).getBytes(StandardCharsets.UTF_8), name -> (String) headers.get(name));
    var members = new LinkedHashMap<String, Object>();
    members.put("webhook_id", push.webhookId());
    members.put("task_id", push.taskId());
    members.put("due_at", push.dueAt());
    members.put("attempt", push.attempt());
    return members;
  }

  /** A value as JSON, models by their methods rather than by the JSON that they hold. */
  private static Object plain(Object value) throws ReflectiveOperationException {
    if (value instanceof JsonObject object) {
      var members = new LinkedHashMap<String, Object>();
      for (Method method : object.getClass().getDeclaredMethods()) {
        if (Modifier.isStatic(method.getModifiers()) || method.getParameterCount() > 0) continue;
        String name = method.getName().replaceAll("([A-Z])", "_$1").toLowerCase();
        if (object.json().get(name) != null) members.put(name, plain(method.invoke(object)));
      }
      return members;
    }
    if (value instanceof Duration duration) return duration.toMillis();
    if (value instanceof Instant) return value.toString();
    if (value instanceof Stream<?> stream) return plain(stream.toList());
    if (value instanceof Map<?, ?> map) {
      var members = new LinkedHashMap<String, Object>();
      for (var member : map.entrySet()) members.put((String) member.getKey(), plain(member.getValue()));
      return members;
    }
    if (value instanceof List<?> list) {
      var items = new ArrayList<>();
      for (Object item : list) items.add(plain(item));
      return items;
    }
    return value;
  }

  private static Map<String, Object> describe(Throwable error) throws ReflectiveOperationException {
    var members = new LinkedHashMap<String, Object>();
    members.put("kind", error instanceof NotFoundException ? "not_found" : error instanceof ConflictException ? "conflict"
        : error instanceof ProblemException ? "problem" : error instanceof NoAnswerException ? "no_answer"
        : error instanceof SignatureException ? "signature" : "other");
    members.put("message", String.valueOf(error));
    if (error instanceof CarillonException ours) {
      members.put("outcome_unknown", ours.outcomeUnknown());
      members.put("results", plain(ours.results()));
    }
    if (error instanceof ProblemException problem) {
      members.put("type", problem.type());
      members.put("slug", problem.slug());
      members.put("status", problem.status());
      members.put("field", problem.field());
      members.put("retry_after", problem.retryAfter() == null ? null : problem.retryAfter().toSeconds());
    }
    return members;
  }
}
