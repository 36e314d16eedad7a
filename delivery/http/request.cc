#include "delivery/http/request.h"

#include <algorithm>

#include "base/text.h"

namespace carillon {
namespace {

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

bool is_visible_and_plain(char c) {
  return c > 0x20 && c < 0x7f && c != '%';
}

bool task_sets(const TaskContent& content, std::string_view name) {
  return std::ranges::any_of(content.headers,
                             [&](const Header& h) { return same_in_any_case(h.name, name); });
}

bool target_sets(const HttpSettings& target, std::string_view name) {
  return std::ranges::any_of(target.headers,
                             [&](const auto& h) { return same_in_any_case(h.first, name); });
}

void append_chosen_headers(std::string& out, const TaskContent& content, const HttpSettings& target,
                           std::string_view user_agent) {
  const bool typed = !content.content_type.empty() && !task_sets(content, "content-type");
  for (const auto& [name, value] : target.headers) {
    if (task_sets(content, name)) continue;
    if (typed && same_in_any_case(name, "content-type")) continue;
    append_header(out, name, value);
  }
  for (const Header& header : content.headers) append_header(out, header.name, header.value);
  if (typed) append_header(out, "Content-Type", content.content_type);
  if (!task_sets(content, "user-agent") && !target_sets(target, "user-agent")) {
    append_header(out, "User-Agent", user_agent);
  }
}

}  // namespace

void append_request_head(std::string& out, const Push& push, const HttpSettings& target,
                         const Url& url, std::string_view user_agent, WallTime now,
                         const WebhookSigner& signer, const Proxy* proxy) {
  const TaskContent& content = push.content;
  out.append(target.method).append(" ");
  if (proxy != nullptr) out.append(url.origin());
  out.append(url.path).append(" HTTP/1.1\r\n");
  append_header(out, "Host", url.host_header());
  if (proxy != nullptr && !proxy->authorization.empty()) {
    append_header(out, "Proxy-Authorization", proxy->authorization);
  }
  append_chosen_headers(out, content, target, user_agent);
  out.append("Content-Length: ");
  append_number(out, content.body.size());
  out.append("\r\n");
  std::string timestamp;
  append_number(timestamp,
                std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  append_header(out, "webhook-id", content.webhook_id);
  append_header(out, "webhook-timestamp", timestamp);
  if (signer.has_keys()) {
    out.append("webhook-signature: ");
    signer.append_signature(out, content.webhook_id, timestamp, content.body);
    out.append("\r\n");
  }
  if (push.tasks > 0) {
    out.append("carillon-tasks: ");
    append_number(out, push.tasks);
    out.append("\r\n\r\n");
    return;
  }
  out.append("carillon-task-id: ");
  append_percent_encoded(out, content.id, is_visible_and_plain);
  out.append("\r\ncarillon-due-at: ");
  append_moment(out, push.due);
  out.append("\r\ncarillon-attempt: ");
  append_number(out, push.attempt);
  out.append("\r\n\r\n");
}

}  // namespace carillon
