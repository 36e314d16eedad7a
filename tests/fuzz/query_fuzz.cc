// Queries and names in paths: what is taken is, encoded, taken as the same.

#include "api/names.h"
#include "base/text.h"
#include "http/uri.h"
#include "tests/fuzz/fuzz.h"
#include "tools/client/endpoint.h"

namespace carillon {
namespace {

constexpr std::string_view kNames[] = {"group", "due_from", "limit", "force", "bucket", "cursor"};
constexpr std::string_view kKnown = "group due_from limit force bucket cursor";

void check_query(std::string_view text) {
  const Result<Query> query = Query::parse(text, kKnown);
  if (!query) return;
  std::string encoded;
  for (const std::string_view name : kNames) {
    const auto value = query->get(name);
    if (!value) continue;
    encoded.append(encoded.empty() ? "" : "&").append(name).append("=");
    append_path_segment(encoded, *value);
  }
  const Result<Query> again = Query::parse(encoded, kKnown);
  CARILLON_CHECK(again);
  for (const std::string_view name : kNames) CARILLON_CHECK(again->get(name) == query->get(name));

  const auto limit = query->integer("limit", 100, 1, 1000);
  CARILLON_CHECK(!limit || (*limit >= 1 && *limit <= 1000));
  const auto moment = query->moment("due_from");
  if (moment && *moment) {
    const auto same = Query::parse("due_from=" + format_moment(**moment), kKnown);
    CARILLON_CHECK(same && *same->moment("due_from") == *moment);
  }
  const auto bucket = query->duration("bucket");
  CARILLON_CHECK(!bucket || bucket->value_or(Millis(0)) >= Millis(0));
  static_cast<void>(query->flag("force"));
}

void check_encoding(std::string_view text) {
  std::string encoded;
  append_path_segment(encoded, text);
  CARILLON_CHECK(percent_decode(encoded) == text);
  CARILLON_CHECK(percent_decode(client::percent_encoded(text)) == text);
  if (const auto decoded = percent_decode(text)) {
    encoded.clear();
    append_path_segment(encoded, *decoded);
    CARILLON_CHECK(percent_decode(encoded) == decoded);
  }
}

void check_endpoint(std::string_view text) {
  const auto endpoint = client::parse_endpoint(text);
  if (!endpoint || !endpoint->unix_path.empty()) return;
  const bool ipv6 = endpoint->host.find(':') != std::string::npos;
  const std::string host = ipv6 ? "[" + endpoint->host + "]" : endpoint->host;
  const auto again = client::parse_endpoint(std::string(endpoint->tls ? "https" : "http") + "://" +
                                            host + ":" + endpoint->port);
  CARILLON_CHECK(again && again->host == endpoint->host && again->port == endpoint->port);
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = carillon::fuzz::text_of(data, size);
  carillon::check_query(text);
  carillon::check_encoding(text);
  carillon::check_endpoint(text);
  static_cast<void>(carillon::check_name(text, "id"));
  return 0;
}
