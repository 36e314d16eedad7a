package io.carillon.client;

import io.carillon.client.json.Json;
import io.carillon.client.json.JsonObject;
import io.carillon.client.model.BatchCancelled;
import io.carillon.client.model.BatchCreated;
import io.carillon.client.model.BatchItem;
import io.carillon.client.model.CancelTasksParams;
import io.carillon.client.model.NewTask;
import io.carillon.client.model.State;
import java.io.BufferedReader;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongPredicate;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A client of Carillon. Threads may share it. It opens nothing until a call is made and needs no closing. Of
 * several URLs, those of the nodes of a cluster, it keeps to one until that fails.
 */
public final class CarillonClient extends Calls {
  private final Settings settings;
  private final Transport transport;

  private CarillonClient(Settings settings) {
    this.settings = settings;
    this.transport = new Transport(settings);
  }

  /** One with the default settings. */
  public static CarillonClient create(String... urls) {
    return builder(urls).build();
  }

  public static Builder builder(String... urls) {
    return new Builder(urls);
  }

  record Settings(
      List<String> urls, String token, Duration timeout, int retries, Duration retryAfterMax, int batchTasks, int batchBytes,
      HttpClient http) {}

  /** Takes the settings of a client. */
  public static final class Builder {
    private final List<String> urls;
    private String token;
    private Duration timeout = Duration.ofSeconds(30);
    private int retries = 6;
    private Duration retryAfterMax = Duration.ofSeconds(30);
    private int batchTasks = 10_000;
    private int batchBytes = 16 * 1024 * 1024;
    private HttpClient http;

    private Builder(String... urls) {
      var given = urls.length == 0 ? List.of("http://127.0.0.1:8080") : List.of(urls);
      this.urls = given.stream().map(url -> URI.create(url.replaceAll("/+$", "")).toString()).toList();
    }

    /** Sent as {@code Authorization: Bearer}, where the server has tokens. */
    public Builder token(String value) {
      token = value;
      return this;
    }

    /** How long each attempt may take; 30 s if not given. */
    public Builder timeout(Duration value) {
      timeout = value;
      return this;
    }

    /** How often a call is sent again, where that is safe; 6 if not given, 0 for never. */
    public Builder retries(int value) {
      retries = value;
      return this;
    }

    /** Where the server asks for a longer wait, the exception is yours at once; 30 s if not given. */
    public Builder retryAfterMax(Duration value) {
      retryAfterMax = value;
      return this;
    }

    /** The largest part of a batch; set it where the server's limits are set. */
    public Builder batch(int tasks, int bytes) {
      batchTasks = tasks;
      batchBytes = bytes;
      return this;
    }

    /** Instead of a client of its own: for a proxy or client certificates. */
    public Builder httpClient(HttpClient value) {
      http = value;
      return this;
    }

    public CarillonClient build() {
      return new CarillonClient(new Settings(urls, token, timeout, retries, retryAfterMax, batchTasks, batchBytes, http));
    }
  }

  /**
   * Schedules any number of tasks, in as many requests as the limits of the server need, and answers for each in
   * order. A task without an id gets one here. Those that fail are in the results, and nothing is thrown for
   * them. {@code POST /v1/tasks:batchCreate}
   */
  public BatchCreated createTasks(Iterable<NewTask> tasks) {
    return created(tasks, task -> Json.write(Transport.withName("id", task.json())));
  }

  /** Schedules the tasks of lines that {@link #exportTasks} gave, each byte for byte. */
  public BatchCreated importTasks(Stream<String> lines) {
    return created(lines::iterator, String::stripTrailing);
  }

  private <T> BatchCreated created(Iterable<T> tasks, Function<T, String> line) {
    var results = inParts(tasks, line, part -> send(Operation.CREATE_TASKS, String.join("\n", part)));
    return BatchCreated.of(counted(results, "created", status -> status == 201));
  }

  /** Cancels any number of tasks. {@code POST /v1/tasks:batchCancel} */
  public BatchCancelled cancelTasks(Iterable<String> ids) {
    return cancelTasks(ids, CancelTasksParams.of(Map.of()));
  }

  /** The same; the params are those beside the ids. */
  public BatchCancelled cancelTasks(Iterable<String> ids, CancelTasksParams params) {
    var results = inParts(ids, Json::write, part -> {
      var body = new LinkedHashMap<>(params.json());
      body.put("ids", part.stream().map(Json::parse).toList());
      return send(Operation.CANCEL_TASKS, body);
    });
    return BatchCancelled.of(counted(results, "cancelled", status -> status < 400));
  }

  /**
   * Every pending task, a line of JSON each. It is read from the server as you take it; close the stream.
   * {@code GET /v1/export}
   */
  public Stream<String> exportTasks() {
    var answer = transport.send(Operation.EXPORT_TASKS, new Transport.Input(List.of(), Map.of(), null, true));
    var body = new ExportBody((InputStream) answer.data());
    return new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8)).lines().onClose(() -> {
      try {
        body.close();
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
    });
  }

  /** Says that an export broke off as other calls do. */
  private static final class ExportBody extends FilterInputStream {
    ExportBody(InputStream in) {
      super(in);
    }

    @Override
    public int read(byte[] buffer, int offset, int length) {
      try {
        return super.read(buffer, offset, length);
      } catch (IOException error) {
        throw new NoAnswerException("the export broke off: " + error, false, error);
      }
    }
  }

  @Override
  <T> T call(Operation operation, List<String> path, Object params, Function<Object, T> reader) {
    var members = params == null ? Map.<String, Object>of() : JsonObject.object(params);
    var query = operation.hasBody ? Map.<String, Object>of() : members;
    Object body = operation.hasBody && params != null ? members : null;
    return reader.apply(transport.send(operation, new Transport.Input(path, query, body, false)).data());
  }

  @Override
  <T> Stream<T> items(Function<String, Page<T>> page) {
    UnaryOperator<Page<T>> next = last -> last.cursor() == null ? null : page.apply(last.cursor()).whole();
    return Stream.iterate(page.apply(null).whole(), Objects::nonNull, next).flatMap(one -> one.items().stream());
  }

  private Transport.Answer send(Operation operation, Object body) {
    return transport.send(operation, new Transport.Input(List.of(), Map.of(), body, false));
  }

  /** Sends items in parts; what is 503 in an answer is sent again. Answers a result for each item, in order. */
  private <T> List<BatchItem> inParts(
      Iterable<T> items, Function<T, String> encode, Function<List<String>, Transport.Answer> send) {
    var results = new ArrayList<BatchItem>();
    try {
      parts(items, encode, part -> results.addAll(sendPart(part, send)));
    } catch (CarillonException error) {
      error.results(List.copyOf(results));
      throw error;
    }
    return results;
  }

  private static Map<String, Object> counted(List<BatchItem> results, String name, LongPredicate counts) {
    long counted = results.stream().mapToLong(BatchItem::status).filter(counts).count();
    long failed = results.stream().filter(item -> item.status() >= 400).count();
    return Map.of("results", results, name, counted, "failed", failed);
  }

  private List<BatchItem> sendPart(List<String> part, Function<List<String>, Transport.Answer> send) {
    var results = new BatchItem[part.size()];
    List<Integer> pending = IntStream.range(0, part.size()).boxed().toList();
    for (int attempt = 0; !pending.isEmpty() && attempt <= settings.retries(); ++attempt) {
      if (attempt > 0) Transport.sleep(Transport.backoff(attempt - 1), false);
      var answer = send.apply(pending.stream().map(part::get).toList());
      var answered = (List<?>) JsonObject.object(answer.data()).get("results");
      for (int i = 0; i < pending.size(); ++i) {
        results[pending.get(i)] = settled(BatchItem.of(answered.get(i)), answer.perhapsBefore() || attempt > 0);
      }
      pending = pending.stream().filter(one -> results[one].status() == 503).toList();
    }
    return Arrays.asList(results);
  }

  /** In a batch that was sent again, a task that is cancelled by now was cancelled by it. */
  private static BatchItem settled(BatchItem item, boolean again) {
    boolean finished = item.type() != null && ProblemException.slug(item.type()).equals("task_finished");
    if (!again || !finished || item.state() != State.CANCELLED) return item;
    return BatchItem.of(Transport.cancelled(item.id(), item.attempt()));
  }

  private <T> void parts(Iterable<T> items, Function<T, String> encode, Consumer<List<String>> use) {
    var part = new ArrayList<String>();
    long bytes = 0;
    for (T item : items) {
      String text = encode.apply(item);
      long size = text.getBytes(StandardCharsets.UTF_8).length + 1;
      if (part.size() == settings.batchTasks() || (!part.isEmpty() && bytes + size > settings.batchBytes() - 64)) {
        use.accept(List.copyOf(part));
        part.clear();
        bytes = 0;
      }
      part.add(text);
      bytes += size;
    }
    if (!part.isEmpty()) use.accept(part);
  }
}
