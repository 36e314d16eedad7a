package io.carillon.client.testing;

import io.carillon.client.CarillonClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A real server for your tests, with nothing in it, on a free port. Its clock stands still until you move it: a
 * month takes as long as the pushes that fall due in it.
 */
public final class TestServer implements AutoCloseable {
  /** Longer than a push may take by default. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Pattern LISTENING = Pattern.compile("listening on (http\\S+)");

  private final Path dir;
  private final Process process;
  private final Thread killer;
  private final String url;
  private final CarillonClient client;

  /** Starts the program {@code CARILLOND} of the environment, else {@code carillond} of the PATH. */
  public static TestServer start(String... args) {
    String program = System.getenv("CARILLOND");
    return new TestServer(program == null ? "carillond" : program, List.of(args));
  }

  /**
   * @param program the server
   * @param args more arguments, such as {@code --config carillon.toml}
   */
  public TestServer(String program, List<String> args) {
    try {
      dir = Files.createTempDirectory("carillon-client-");
      var command = new ArrayList<>(List.of(program, "--clock", "manual", "--listen", "127.0.0.1:0"));
      command.addAll(List.of("--data-dir", dir.resolve("data").toString()));
      command.addAll(args);
      var log = dir.resolve("log").toFile();
      process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log).start();
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
    killer = new Thread(process::destroyForcibly);
    Runtime.getRuntime().addShutdownHook(killer);
    url = awaitStart();
    client = CarillonClient.create(url);
  }

  public String url() {
    return url;
  }

  public CarillonClient client() {
    return client;
  }

  /**
   * Moves the clock, and returns once every push that fell due has been answered by its receiver. What failed waits
   * for its next attempt until the clock is moved again. Answers the server's time.
   */
  public Instant advance(Duration by) {
    Instant now = client.advanceClock(by).now();
    long end = System.nanoTime() + PATIENCE.toNanos();
    for (long backlog = -1; ; pause()) {
      var stats = client.getStats();
      // What a paused target holds back stays in the backlog: it does not move.
      if (stats.counts().firing() == 0 && (stats.backlog() == 0 || stats.backlog() == backlog)) return now;
      backlog = stats.backlog();
      if (System.nanoTime() > end) {
        throw new IllegalStateException(stats.counts().firing() + " pushes have had no answer for " + PATIENCE);
      }
    }
  }

  /** The server's time, which is not this machine's. */
  public Instant now() {
    return client.getStats().now();
  }

  /** Ends the server and removes its data. */
  @Override
  public void close() {
    process.destroy();
    process.onExit().join();
    Runtime.getRuntime().removeShutdownHook(killer);
    try (var files = Files.walk(dir)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private String awaitStart() {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      boolean ended = !process.isAlive() || System.nanoTime() > end;
      String log = log();
      var found = LISTENING.matcher(log);
      if (log.contains("ready took") && found.find()) return found.group(1);
      if (ended) {
        close();
        throw new IllegalStateException("the server did not start:\n" + log);
      }
      pause();
    }
  }

  private String log() {
    try {
      return Files.readString(dir.resolve("log"));
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private static void pause() {
    try {
      Thread.sleep(5);
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(error);
    }
  }
}
