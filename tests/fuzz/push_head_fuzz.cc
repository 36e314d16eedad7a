// The head of a push: whatever a target and a task choose, it is one well-formed request that says
// what they chose, and where it ends.
//
// The input is a target's settings, a line break, and a task.

#include <limits>

#include "api/task_json.h"
#include "base/text.h"
#include "delivery/http/request.h"
#include "http/framing.h"
#include "http/request_parser.h"
#include "http/uri.h"
#include "net/url.h"
#include "tests/fuzz/fuzz.h"
#include "tools/load/push_parser.h"

namespace carillon {
namespace {

constexpr WallTime kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 21)};

void check_request(const std::string& head, const Push& push) {
  constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();
  CARILLON_CHECK(find_head_end(head) == head.size());
  CARILLON_CHECK(check_head(head, {kAny, kAny, kAny}));
  HttpRequest request;
  std::string body;
  RequestParser parser(body);
  CARILLON_CHECK(parser.parse_head(head, request));
  CARILLON_CHECK(request.method == http_settings(*push.target).method);
  CARILLON_CHECK(parser.content_length() == push.content.body.size() && !parser.chunked());

  load::PushHead seen;
  CARILLON_CHECK(load::parse_push_head(head, seen) == load::Parsed::complete);
  CARILLON_CHECK(seen.head_bytes == head.size() && seen.body_bytes == push.content.body.size());
  CARILLON_CHECK(percent_decode(seen.task_id) == push.content.id);
  CARILLON_CHECK(seen.webhook_id == push.content.webhook_id && seen.attempt == push.attempt);
  const auto due = parse_moment(seen.due_at);
  CARILLON_CHECK(due && *due == push.due);
}

void check_push(const TargetSettings& settings, TaskContent content) {
  const HttpSettings& http = http_settings(settings);
  const auto url = parse_url(http.url);
  const auto signer = WebhookSigner::make(http.secrets);
  CARILLON_CHECK(url && signer);
  if (content.id.empty()) content.id = "made here";
  content.webhook_id = "msg_0";
  Push push;
  push.target = std::make_shared<TargetSettings>(settings);
  push.content = content;
  push.due = kNow;
  std::string head;
  append_request_head(head, push, http, *url, "carillon", kNow, *signer);
  check_request(head, push);
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carillon;
  fuzz::Input input(data, size);
  auto settings = parse_target(input.line());
  if (!settings) settings = parse_target(R"({"url":"http://receiver.example/"})");
  CARILLON_CHECK(settings);
  JsonScratch scratch(64);
  static_cast<void>(
      scratch.reader.parse(input.rest(), [&](simdjson::ondemand::value value) -> Result<> {
        const auto task = parse_task(value, scratch);
        if (task) check_push(*settings, task->content);
        return {};
      }));
  return 0;
}
