// What travels with a message beside its body, whatever the broker calls it.
#pragma once

#include <string>
#include <string_view>

#include "base/text.h"
#include "base/time.h"
#include "delivery/sink.h"

namespace carillon {

/// Calls `visit` with the name and value of each property of the push: those of Carillon, then the
/// task's headers, their names in lower case. `content-type` is among them, the header before the
/// task's own. Values last as long as the call.
template <typename Visit>
void for_each_property(const Push& push, const Visit& visit) {
  const TaskContent& content = push.content;
  visit("webhook-id", content.webhook_id);
  visit("carillon-task-id", content.id);
  std::string text;
  append_moment(text, push.due);
  visit("carillon-due-at", std::string_view(text));
  text.clear();
  append_number(text, push.attempt);
  visit("carillon-attempt", std::string_view(text));
  if (!content.group.empty()) visit("carillon-group", content.group);
  bool typed = false;
  for (const Header& header : content.headers) {
    const std::string name = lower_case(header.name);
    typed = typed || name == "content-type";
    visit(std::string_view(name), header.value);
  }
  if (!typed && !content.content_type.empty()) visit("content-type", content.content_type);
}

}  // namespace carillon
