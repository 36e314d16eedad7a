package io.carillon.client;

import io.carillon.client.json.Json;
import io.carillon.client.json.JsonObject;
import io.carillon.client.model.Problem;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/** Sends requests, and sends them again where that is safe. */
final class Transport {
  private static final Duration BACKOFF_MIN = Duration.ofMillis(100);
  private static final Duration BACKOFF_MAX = Duration.ofSeconds(5);
  /** The kinds of 503 that say that nothing was done. */
  private static final Set<String> NOTHING_DONE =
      Set.of("moved", "log_away", "shard_silent", "not_ready", "overloaded", "too_many_connections");
  private static final SecureRandom RANDOM = new SecureRandom();

  private final CarillonClient.Settings settings;
  private final HttpClient http;
  private volatile int at; // of the URLs: the one that answered last

  Transport(CarillonClient.Settings settings) {
    this.settings = settings;
    this.http = settings.http() != null ? settings.http()
        : HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(settings.timeout()).build();
  }

  /** What was answered, and whether an earlier attempt of the same call may have been done. */
  record Answer(Object data, boolean perhapsBefore) {}

  /** A request; the body is a JSON object, or NDJSON, or null. */
  record Input(List<String> path, Map<String, Object> query, Object body, boolean streamed) {}

  Answer send(Operation operation, Input input) {
    Object body = operation.names != null ? withName(operation.names, JsonObject.object(input.body)) : input.body;
    boolean perhaps = false;
    for (int attempt = 0; ; ++attempt) {
      try {
        return new Answer(exchange(operation, input, body), perhaps);
      } catch (ProblemException | NoAnswerException error) {
        if (perhaps && error instanceof ProblemException problem && doneBefore(operation, problem)) {
          return new Answer(cancelled(input.path.get(0), problem.problem().attempt()), true);
        }
        Duration pause = pauseAfter(error, operation, attempt);
        perhaps |= error.outcomeUnknown();
        error.outcomeUnknown(perhaps);
        if (pause == null) throw error;
        sleep(pause, perhaps);
      }
    }
  }

  /** How long to wait before the next attempt; null where there is none. */
  private Duration pauseAfter(CarillonException error, Operation operation, int attempt) {
    var problem = error instanceof ProblemException one ? one : null;
    boolean notDone = problem == null || isNotDone(problem.status(), problem.slug());
    boolean again = error.outcomeUnknown() ? operation.repeatable : notDone;
    Duration wanted = problem == null || problem.retryAfter() == null ? Duration.ZERO : problem.retryAfter();
    if (!again || attempt >= settings.retries() || wanted.compareTo(settings.retryAfterMax()) > 0) return null;
    Duration own = backoff(attempt);
    return own.compareTo(wanted) > 0 ? own : wanted;
  }

  private Object exchange(Operation operation, Input input, Object body) {
    int using = at;
    var url = URI.create(settings.urls().get(using) + pathOf(operation, input));
    var request = HttpRequest.newBuilder(url).timeout(settings.timeout());
    if (settings.token() != null) request.header("authorization", "Bearer " + settings.token());
    if (body == null) {
      request.method(operation.method, BodyPublishers.noBody());
    } else if (body instanceof String lines) {
      request.header("content-type", "application/x-ndjson").method(operation.method, BodyPublishers.ofString(lines));
    } else {
      request.header("content-type", "application/json").method(operation.method, BodyPublishers.ofString(Json.write(body)));
    }
    try {
      HttpResponse<InputStream> answer = http.send(request.build(), BodyHandlers.ofInputStream());
      if (answer.statusCode() < 300 && input.streamed) return answer.body();
      String text;
      try (var stream = answer.body()) {
        text = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
      }
      String type = answer.headers().firstValue("content-type").orElse("");
      if (answer.statusCode() < 300) return type.startsWith("application/json") ? Json.parse(text) : text;
      if (answer.statusCode() >= 500) giveUp(using);
      throw problemOf(answer, type, text);
    } catch (IOException error) {
      giveUp(using);
      boolean sent = !(error instanceof ConnectException || error instanceof HttpConnectTimeoutException);
      throw new NoAnswerException("no answer from " + settings.urls().get(using) + ": " + error, sent, error);
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
      throw new CarillonException("interrupted", true, error);
    }
  }

  private void giveUp(int used) {
    if (at == used) at = (used + 1) % settings.urls().size();
  }

  private static ProblemException problemOf(HttpResponse<?> answer, String type, String text) {
    long status = answer.statusCode();
    var members = new LinkedHashMap<String, Object>(Map.of("type", "about:blank", "title", "Refused", "status", status));
    if (type.startsWith("application/problem+json")) members.putAll(JsonObject.object(Json.parse(text)));
    else members.put("detail", text.substring(0, Math.min(200, text.length())));
    var problem = Problem.of(members);
    var retryAfter = answer.headers().firstValue("retry-after").filter(one -> one.matches("[0-9]{1,9}"))
        .map(seconds -> Duration.ofSeconds(Long.parseLong(seconds))).orElse(null);
    boolean notDone = isNotDone((int) status, ProblemException.slug(problem.type()));
    return ProblemException.of(problem, retryAfter, status >= 500 && !notDone);
  }

  /** Whether a problem says that nothing was done, and that another attempt may go better. */
  private static boolean isNotDone(int status, String slug) {
    return status == 408 || status == 429 || status == 507 || (status == 503 && NOTHING_DONE.contains(slug));
  }

  /** Whether what a second attempt was told means that the first one, whose answer was lost, had done it. */
  private static boolean doneBefore(Operation operation, ProblemException error) {
    if (operation == Operation.CANCEL_TASK) {
      return error.slug().equals("task_finished") && "cancelled".equals(error.problem().json().get("state"));
    }
    return operation.method.equals("DELETE") && error.status() == 404;
  }

  static Map<String, Object> cancelled(String id, Long attempts) {
    return Map.of("id", id, "status", 200L, "state", "cancelled", "attempts", attempts == null ? 0 : attempts);
  }

  /**
   * Members with the name by which the server knows a repeated call; a task whose id is made here can only be
   * there by ourselves.
   */
  static Map<String, Object> withName(String name, Map<String, Object> members) {
    if (members != null && members.get(name) != null) return members;
    var named = new LinkedHashMap<String, Object>(members == null ? Map.of() : members);
    named.put(name, newId());
    if (name.equals("id")) named.putIfAbsent("if_exists", "once");
    return named;
  }

  private static String pathOf(Operation operation, Input input) {
    String path = operation.path;
    for (String name : input.path) path = path.replaceFirst("\\{\\w+}", encode(name));
    var query = new StringBuilder();
    input.query.forEach((name, value) -> {
      query.append(query.isEmpty() ? '?' : '&').append(encode(name)).append('=').append(encode(String.valueOf(value)));
    });
    return path + query;
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** Doubles from attempt to attempt, and is drawn between half and all of that. */
  static Duration backoff(int attempt) {
    long most = Math.min(BACKOFF_MAX.toMillis(), BACKOFF_MIN.toMillis() << Math.min(attempt, 20));
    return Duration.ofMillis(ThreadLocalRandom.current().nextLong(most / 2, most + 1));
  }

  static void sleep(Duration pause, boolean outcomeUnknown) {
    try {
      Thread.sleep(pause.toMillis());
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
      throw new CarillonException("interrupted", outcomeUnknown, error);
    }
  }

  /** A UUIDv7: ids that are made later sort later. */
  private static String newId() {
    long high = System.currentTimeMillis() << 16 | 0x7000 | RANDOM.nextInt(0x1000);
    return new UUID(high, RANDOM.nextLong() >>> 2 | 1L << 63).toString();
  }
}
