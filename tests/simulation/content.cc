#include "tests/simulation/content.h"

#include <charconv>

#include "base/check.h"
#include "storage/content.h"

namespace carillon::simulation {
namespace {

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  CARILLON_CHECK(failed == std::errc() && end == text.data() + text.size());
  return number;
}

}  // namespace

std::string SimContent::row() const {
  const std::string name = name_of_id(id);
  const std::string body = std::to_string(version);
  const std::string webhook_id = std::to_string(webhook);
  TaskContent content;
  content.id = name;
  content.target = "anywhere";
  content.body = body;
  content.content_type = "text/plain";
  content.webhook_id = webhook_id;
  content.attempts_before = attempts_before;
  return encode_content(content);
}

SimContent SimContent::of(const TaskContent& content) {
  return {number_of(content.id.substr(1)), number_of(content.body), number_of(content.webhook_id),
          content.attempts_before};
}

SimContent SimContent::of_row(std::string_view row) {
  const auto content = decode_content(row);
  CARILLON_CHECK(content);
  return of(*content);
}

std::string name_of_id(std::uint64_t id) {
  return "t" + std::to_string(id);
}

}  // namespace carillon::simulation
