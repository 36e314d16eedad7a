// Strict JSON in, plain JSON out.
//
// Reading goes through simdjson's on-demand parser: nothing is built. That parser does not look at
// what its caller skips, so the whole text is held against the grammar first (base/json_syntax.h);
// what it leaves to its caller is done here: unknown fields, duplicate keys, exact types.
//
// Limitations: an on-demand value is read once; reading the same one twice is a mistake.
//
// Writing appends to a string that the caller owns; there is no tree.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "base/result.h"
#include "base/time.h"

namespace carillon {

/// A reusable parser and its padded copy of the input; one per thread or event loop.
class JsonReader {
 public:
  /// `depth_max`: how deep arrays and objects may nest (error slug json_too_deep).
  explicit JsonReader(std::size_t depth_max = 64);

  /// Copies `text` (views handed out point into the copy, until the next `parse` or the reader's
  /// end) and hands its one top-level value to `visit`. A byte order mark in front is ignored.
  /// Errors: bad_json (with the byte where it is), json_too_deep, and what `visit` returns.
  [[nodiscard]] Result<> parse(std::string_view text,
                               const std::function<Result<>(simdjson::ondemand::value)>& visit);

  /// The same for a text of which check_json has approved.
  [[nodiscard]] Result<> parse_checked(
      std::string_view text, const std::function<Result<>(simdjson::ondemand::value)>& visit);

  /// The bytes of `value` exactly as sent (and known to be JSON, as all of the text is), without
  /// white space around them.
  [[nodiscard]] Result<std::string_view> raw(simdjson::ondemand::value value);

  [[nodiscard]] std::size_t depth_max() const { return depth_max_; }
  /// How many bytes of input it can take without growing; all of that is kept between texts.
  [[nodiscard]] std::size_t capacity() const { return copy_.capacity(); }

 private:
  simdjson::ondemand::parser parser_;
  std::string copy_;  // with the padding that simdjson may read over the end
  std::size_t depth_max_;
};

/// What `for_each_field` calls.
using JsonField =
    std::function<Result<bool>(std::string_view key, simdjson::ondemand::value value)>;

/// What a member that is `null` comes to.
enum class Nulls {
  absent,  // as if it were not there: in what creates something
  given,   // `field` is called with it: in what changes something, where it may mean "remove"
};

/// Calls `field` for each member in order; it returns false for a key that it does not know (error
/// unknown_field, with the nearest known key where one is near). A key that comes twice:
/// duplicate_field. `known` lists the keys (at most 64), for both. Error bad_type if `value` is no
/// object.
[[nodiscard]] Result<> for_each_field(simdjson::ondemand::value value,
                                      std::span<const std::string_view> known,
                                      const JsonField& field, Nulls nulls = Nulls::absent);

// Typed reading. `field` names what is at fault in the error. Slugs: bad_type, bad_value, and those
// of base/time.h for moments and durations (which may be text or whole milliseconds). A whole
// number may be written as in base/number.h.
[[nodiscard]] Result<std::string_view> json_string(simdjson::ondemand::value value,
                                                   std::string_view field);
[[nodiscard]] Result<std::int64_t> json_integer(simdjson::ondemand::value value,
                                                std::string_view field, std::int64_t min,
                                                std::int64_t max);
[[nodiscard]] Result<bool> json_bool(simdjson::ondemand::value value, std::string_view field);
[[nodiscard]] Result<WallTime> json_moment(simdjson::ondemand::value value, std::string_view field);
[[nodiscard]] Result<Millis> json_duration(simdjson::ondemand::value value, std::string_view field,
                                           bool allow_negative = false);

/// Calls `element` for each element in order, with its index. Error bad_type if `value` is no
/// array.
using JsonElement = std::function<Result<>(std::size_t index, simdjson::ondemand::value value)>;
[[nodiscard]] Result<> for_each_element(simdjson::ondemand::value value, std::string_view field,
                                        const JsonElement& element);

/// Appends `text` as a JSON string, quoted and escaped. Where `text` is not UTF-8, each byte that
/// is not ASCII becomes U+FFFD, so that what is written is always JSON.
void append_json_string(std::string& out, std::string_view text);

/// Appends an object or array member by member; puts the commas.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  /// The key of the next value; inside objects only.
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view text);
  JsonWriter& integer(std::int64_t number);
  JsonWriter& unsigned_integer(std::uint64_t number);
  JsonWriter& real(double number);
  JsonWriter& boolean(bool yes);
  JsonWriter& null();
  JsonWriter& moment(WallTime moment);
  JsonWriter& duration(Millis duration);  // in its text form
  JsonWriter& raw(std::string_view json);

 private:
  void separate();
  std::string& out_;
  bool first_ = true;
  bool after_key_ = false;
};

/// The candidate nearest to `name` by edit distance, or empty where none is near enough to be
/// meant.
[[nodiscard]] std::string_view nearest_name(std::string_view name,
                                            std::span<const std::string_view> candidates);

}  // namespace carillon
