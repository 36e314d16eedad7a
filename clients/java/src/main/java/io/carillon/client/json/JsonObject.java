package io.carillon.client.json;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;

/** What every model is: a JSON object whose members have methods. It never changes. */
public abstract class JsonObject {
  private static final Pattern PART = Pattern.compile("([0-9.]+)(d|h|ms|m|s)");
  private static final Map<String, ChronoUnit> UNITS =
      Map.of("d", ChronoUnit.DAYS, "h", ChronoUnit.HOURS, "m", ChronoUnit.MINUTES, "s", ChronoUnit.SECONDS, "ms", ChronoUnit.MILLIS);

  private final Map<String, Object> members;

  protected JsonObject(Map<String, ?> members) {
    this.members = Collections.unmodifiableMap(new LinkedHashMap<>(members));
  }

  /** All members, also those that this version of the client has no method for. */
  public final Map<String, Object> json() {
    return members;
  }

  protected final <T> T read(String name, Function<Object, T> reader) {
    Object value = members.get(name);
    return value == null ? null : reader.apply(value);
  }

  @SuppressWarnings("unchecked")
  public static Map<String, Object> object(Object value) {
    return value instanceof JsonObject object ? object.json() : (Map<String, Object>) value;
  }

  protected static Object any(Object value) {
    return value;
  }

  protected static String text(Object value) {
    return (String) value;
  }

  protected static Boolean flag(Object value) {
    return (Boolean) value;
  }

  protected static Long integer(Object value) {
    return ((Number) value).longValue();
  }

  protected static Double number(Object value) {
    return ((Number) value).doubleValue();
  }

  protected static Instant moment(Object value) {
    return value instanceof Number millis ? Instant.ofEpochMilli(millis.longValue()) : Instant.parse((String) value);
  }

  protected static Duration duration(Object value) {
    if (value instanceof Number millis) return Duration.ofMillis(millis.longValue());
    String text = (String) value;
    if (text.contains("P")) return Duration.parse(text);
    var parts = PART.matcher(text);
    double nanos = 0;
    while (parts.find()) nanos += Double.parseDouble(parts.group(1)) * UNITS.get(parts.group(2)).getDuration().toNanos();
    return Duration.ofNanos(Math.round(text.startsWith("-") ? -nanos : nanos));
  }

  protected static <E extends Enum<E>> E enumeration(Object value, Class<E> type) {
    try {
      return Enum.valueOf(type, ((String) value).toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException unknown) {
      return Enum.valueOf(type, "UNRECOGNIZED");
    }
  }

  protected static <T> List<T> list(Object value, Function<Object, T> reader) {
    return ((List<?>) value).stream().<T>map(reader::apply).toList();
  }

  protected static <T> Map<String, T> map(Object value, Function<Object, T> reader) {
    var read = new LinkedHashMap<String, T>();
    object(value).forEach((name, member) -> read.put(name, reader.apply(member)));
    return read;
  }

  @Override
  public final boolean equals(Object other) {
    return other != null && other.getClass() == getClass() && ((JsonObject) other).members.equals(members);
  }

  @Override
  public final int hashCode() {
    return members.hashCode();
  }

  @Override
  public final String toString() {
    return getClass().getSimpleName() + Json.write(members);
  }
}
