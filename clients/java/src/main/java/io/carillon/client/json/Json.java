package io.carillon.client.json;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** JSON as maps, lists, strings, Long, Double, Boolean and null, so that no library is needed. */
public final class Json {
  private static final int DEPTH_MAX = 512;

  private final String text;
  private int at;
  private int depth;

  private Json(String text) {
    this.text = text;
  }

  /** Reads one JSON value; an IllegalArgumentException says where it is none. */
  public static Object parse(String text) {
    var reader = new Json(text);
    Object value = reader.value();
    if (reader.next() != '\0') throw reader.broken();
    return value;
  }

  /** A value as JSON text. */
  public static String write(Object value) {
    var out = new StringBuilder();
    append(out, normal(value));
    return out.toString();
  }

  /**
   * A value of the types above: moments become RFC 3339, durations ISO 8601, constants of an enum lower case, and
   * models their members. Others are refused: turn them into JSON text with your own library, and send that
   * as the body.
   */
  public static Object normal(Object value) {
    if (value == null || value instanceof String || value instanceof Boolean || value instanceof Number) return value;
    if (value instanceof Instant || value instanceof Duration || value instanceof Character) return value.toString();
    if (value instanceof Enum<?> constant) return constant.name().toLowerCase(Locale.ROOT);
    if (value instanceof JsonObject object) return object.json();
    if (value instanceof Map<?, ?> map) {
      var members = new LinkedHashMap<String, Object>();
      map.forEach((name, member) -> members.put(String.valueOf(name), normal(member)));
      return members;
    }
    if (value instanceof Iterable<?> items) {
      var list = new ArrayList<>();
      items.forEach(item -> list.add(normal(item)));
      return list;
    }
    throw new IllegalArgumentException(value.getClass().getName() + " is no JSON; send its JSON text as the body");
  }

  private static void append(StringBuilder out, Object value) {
    if (value instanceof Map<?, ?> map) {
      char between = '{';
      for (var member : map.entrySet()) {
        out.append(between);
        quote(out, (String) member.getKey());
        append(out.append(':'), member.getValue());
        between = ',';
      }
      out.append(between == '{' ? "{}" : "}");
    } else if (value instanceof List<?> list) {
      char between = '[';
      for (Object item : list) {
        append(out.append(between), item);
        between = ',';
      }
      out.append(between == '[' ? "[]" : "]");
    } else if (value instanceof String string) {
      quote(out, string);
    } else if (value instanceof Double number && !Double.isFinite(number)) {
      throw new IllegalArgumentException(number + " is no JSON");
    } else {
      out.append(value);
    }
  }

  private static void quote(StringBuilder out, String string) {
    out.append('"');
    for (int i = 0; i < string.length(); ++i) {
      char c = string.charAt(i);
      if (c == '"' || c == '\\') out.append('\\').append(c);
      else if (c < ' ') out.append(String.format("\\u%04x", (int) c));
      else out.append(c);
    }
    out.append('"');
  }

  private Object value() {
    if (++depth > DEPTH_MAX) throw broken();
    try {
      return switch (next()) {
        case '{' -> object();
        case '[' -> array();
        case '"' -> string();
        case 't' -> word("true", true);
        case 'f' -> word("false", false);
        case 'n' -> word("null", null);
        default -> number();
      };
    } finally {
      --depth;
    }
  }

  private Map<String, Object> object() {
    var members = new LinkedHashMap<String, Object>();
    ++at;
    while (next() != '}') {
      if (!members.isEmpty()) take(',');
      next();
      String name = string();
      take(':');
      members.put(name, value());
    }
    ++at;
    return members;
  }

  private List<Object> array() {
    var items = new ArrayList<>();
    ++at;
    while (next() != ']') {
      if (!items.isEmpty()) take(',');
      items.add(value());
    }
    ++at;
    return items;
  }

  private String string() {
    take('"');
    var out = new StringBuilder();
    while (true) {
      if (at >= text.length()) throw broken();
      char c = text.charAt(at++);
      if (c == '"') return out.toString();
      out.append(c == '\\' ? escaped() : c);
    }
  }

  private char escaped() {
    if (at + 5 > text.length()) throw broken();
    char c = text.charAt(at++);
    if (c == 'u') return (char) Integer.parseInt(text.substring(at, at += 4), 16);
    int known = "bfnrt\"\\/".indexOf(c);
    if (known < 0) throw broken();
    return "\b\f\n\r\t\"\\/".charAt(known);
  }

  private Object number() {
    int begin = at;
    while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) ++at;
    String digits = text.substring(begin, at);
    try {
      if (!digits.matches("-?[0-9]+")) return Double.valueOf(digits);
      return digits.length() < 19 ? (Object) Long.valueOf(digits) : new BigInteger(digits);
    } catch (NumberFormatException error) {
      throw broken();
    }
  }

  private Object word(String word, Object value) {
    if (!text.startsWith(word, at)) throw broken();
    at += word.length();
    return value;
  }

  /** Skips white space; the character that follows, or a zero at the end. */
  private char next() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) ++at;
    return at < text.length() ? text.charAt(at) : '\0';
  }

  private void take(char wanted) {
    if (next() != wanted) throw broken();
    ++at;
  }

  private IllegalArgumentException broken() {
    return new IllegalArgumentException("no JSON at character " + at);
  }
}
