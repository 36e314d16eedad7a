// The client's view of a server's JSON: no bytes in it can steer the terminal that shows them.

#include <algorithm>

#include <simdjson.h>

#include "tests/fuzz/fuzz.h"
#include "tools/client/table.h"

namespace carillon::client {
namespace {

void check_printable(const std::string& text) {
  unsigned char before = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    CARILLON_CHECK((byte >= 0x20 || c == '\n') && byte != 0x7f);
    CARILLON_CHECK(before != 0xc2 || byte >= 0xa0);  // U+0080 to U+009F
    before = byte;
  }
}

}  // namespace
}  // namespace carillon::client

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carillon::client;
  const std::string_view json = carillon::fuzz::text_of(data, size);
  check_printable(describe_problem(400, json));
  check_printable(member(json, "id"));
  const std::string fields = format_fields(json);
  const std::string table = format_table(json, {});
  static_cast<void>(format_table(json, {"id", "state"}));
  // What is not JSON is shown as it is.
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS) return 0;
  check_printable(fields);
  const bool has_array = std::ranges::any_of(object, [](auto f) { return f.value.is_array(); });
  if (has_array) check_printable(table);
  return 0;
}
