#include "tests/end_to_end/json_find.h"

#include <simdjson.h>

namespace carillon::test {

std::string text_at(std::string_view json, std::string_view pointer) {
  simdjson::dom::parser parser;
  std::string_view text;
  if (parser.parse(json.data(), json.size()).at_pointer(pointer).get(text) != simdjson::SUCCESS) {
    return {};
  }
  return std::string(text);
}

std::int64_t number_at(std::string_view json, std::string_view pointer) {
  simdjson::dom::parser parser;
  std::int64_t number = -1;
  const auto found = parser.parse(json.data(), json.size()).at_pointer(pointer).get(number);
  return found == simdjson::SUCCESS ? number : -1;
}

}  // namespace carillon::test
