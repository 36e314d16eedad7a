// JSON in and out: the grammar's check, the reader behind it and the writer agree.

#include <string>

#include "base/json.h"
#include "base/json_syntax.h"
#include "tests/fuzz/fuzz.h"

namespace carillon {
namespace {

namespace ondemand = simdjson::ondemand;

/// Reads all of `value`, each thing as what it is; writes it again where that is exact.
Result<> copy(ondemand::value value, JsonWriter& out, JsonReader& reader);

Result<> copy_object(ondemand::value value, JsonWriter& out, JsonReader& reader) {
  ondemand::object object;
  CARILLON_CHECK(value.get_object().get(object) == simdjson::SUCCESS);
  out.begin_object();
  for (auto member : object) {
    std::string_view key;
    ondemand::value inner;
    if (member.unescaped_key().get(key) != simdjson::SUCCESS ||
        member.value().get(inner) != simdjson::SUCCESS) {
      return Error{"bad_json", "", ""};
    }
    out.key(key);
    if (Result<> done = copy(inner, out, reader); !done) return done;
  }
  out.end_object();
  return {};
}

Result<> copy(ondemand::value value, JsonWriter& out, JsonReader& reader) {
  ondemand::json_type type = ondemand::json_type::null;
  if (value.type().get(type) != simdjson::SUCCESS) return Error{"bad_json", "", ""};
  if (type == ondemand::json_type::object) return copy_object(value, out, reader);
  if (type == ondemand::json_type::array) {
    out.begin_array();
    auto done = for_each_element(
        value, "", [&](std::size_t, ondemand::value inner) { return copy(inner, out, reader); });
    out.end_array();
    return done;
  }
  if (type == ondemand::json_type::string) {
    const auto text = json_string(value, "");
    if (!text) return text.error();
    out.string(*text);
    return {};
  }
  const auto raw = reader.raw(value);
  if (!raw) return raw.error();
  out.raw(*raw);
  return {};
}

Result<std::string> copied(std::string_view text) {
  JsonReader reader;
  std::string out;
  JsonWriter json(out);
  Result<> read = reader.parse(
      text, [&](ondemand::value value) -> Result<> { return copy(value, json, reader); });
  if (!read) return read.error();
  return Result<std::string>(boost::system::in_place_value, std::move(out));
}

void check_document(std::string_view text) {
  const auto first = copied(text);
  if (!first) return;
  CARILLON_CHECK(check_json(without_byte_order_mark(text), 64));
  CARILLON_CHECK(check_json(*first, 64));
  const auto second = copied(*first);
  CARILLON_CHECK(second && *second == *first);
}

/// `raw` gives exactly the value's bytes.
void check_raw(std::string_view text) {
  JsonReader reader;
  std::string raw;
  const auto read = reader.parse(text, [&](ondemand::value value) -> Result<> {
    const auto bytes = reader.raw(value);
    if (!bytes) return bytes.error();
    raw = *bytes;
    return {};
  });
  if (!read) return;
  CARILLON_CHECK(check_json(raw, 64) && text.find(raw) != std::string_view::npos);
}

/// Whatever the bytes, what is written is JSON; where they are UTF-8, it reads as them.
void check_string(std::string_view text) {
  std::string written = "[";
  append_json_string(written, text);
  written += ']';
  CARILLON_CHECK(check_json(written, 64));
  if (!simdjson::validate_utf8(text.data(), text.size())) return;
  JsonReader reader;
  const auto read = reader.parse(written, [&](ondemand::value value) -> Result<> {
    return for_each_element(value, "", [&](std::size_t, ondemand::value inner) -> Result<> {
      const auto back = json_string(inner, "");
      CARILLON_CHECK(back && *back == text);
      return {};
    });
  });
  CARILLON_CHECK(read);
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = carillon::fuzz::text_of(data, size);
  carillon::check_document(text);
  carillon::check_raw(text);
  carillon::check_string(text);
  return 0;
}
