#include <algorithm>
#include <optional>

#include "api/handlers.h"
#include "api/names.h"
#include "base/json.h"
#include "delivery/target.h"
#include "engine/refusals.h"
#include "http/uri.h"
#include "net/base64.h"

namespace carillon {
namespace {

void append_target(JsonWriter& json, Call& call, const TargetView& view) {
  std::string& out = call.response.body;
  const std::string settings = format_target(view.settings, call.secrets(Role::admin));
  json.begin_object().key("name").string(view.settings.name);
  // The members of the settings' own object, which has at least its url.
  out += ',';
  out += std::string_view(settings).substr(1, settings.size() - 2);
  json.key("waiting").unsigned_integer(view.waiting);
  json.key("backlog").unsigned_integer(view.backlog);
  json.key("in_flight").unsigned_integer(view.in_flight);
  if (view.held) {
    json.key("held").begin_object().key("until").moment(view.held->until);
    json.key("reason").string(name_of(view.held->reason));
    json.key("since").moment(view.held->since).end_object();
  }
  append_silent(json, view.silent);
  json.end_object();
}

/// Without the character at the end of which only a part is there.
std::string_view whole_characters(std::string_view text) {
  const auto byte = [&](std::size_t from_end) {
    return static_cast<unsigned char>(text[text.size() - from_end]);
  };
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    if ((byte(back) & 0xc0U) == 0x80) continue;  // goes on a character
    const std::size_t length = byte(back) >= 0xf0   ? 4
                               : byte(back) >= 0xe0 ? 3
                               : byte(back) >= 0xc0 ? 2
                                                    : 1;
    if (length > back) text.remove_suffix(back);
    break;
  }
  return text;
}

Answer<> answer_target(Call& call, const Answer<TargetView>& view) {
  if (!view) return view.error();
  JsonWriter json(call.response.body);
  append_target(json, call, *view);
  return {};
}

/// In base64 for URLs (RFC 4648, 5).
std::string cursor_after(std::string_view name) {
  std::string cursor = base64_encode(name);
  std::ranges::replace(cursor, '+', '-');
  std::ranges::replace(cursor, '/', '_');
  return cursor;
}

/// The name; nothing where `cursor` is none of ours.
std::optional<std::string> read_cursor(std::string_view cursor) {
  std::string text(cursor);
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  return base64_decode(text);
}

Async<Answer<>> edit(Call& call, TargetEdit how) {
  if (const Result<> ok = check_target_name(call.name, ""); !ok) co_return ok.error();
  const auto change = [&call, how](const TargetSettings* before) -> Result<TargetSettings> {
    if (before == nullptr && how == TargetEdit::merge) return not_found("target");
    return edit_target(call.name, call.request.body, how, before, call.options.secrets_dir);
  };
  const auto put = co_await call.tasks.change_target(call.name, change);
  if (!put) co_return put.error();
  if (put->made) say_created(call.response, "/v1/targets/", call.name);
  co_return answer_target(call, put->view);
}

}  // namespace

Async<Answer<>> list_targets(Call& call) {
  constexpr std::size_t kLimit = 100;
  constexpr std::size_t kLimitMax = 1000;
  const auto limit = call.query.integer("limit", kLimit, 1, kLimitMax);
  if (!limit) co_return limit.error();
  // The name of the last target of the page before.
  const auto after = read_cursor(call.query.get("cursor").value_or(""));
  if (!after) co_return Error{"bad_cursor", "send a `next_cursor` as it was answered", "cursor"};
  auto views = co_await call.tasks.targets(std::string_view(*after), *limit + 1);
  const bool more = views.size() > *limit;
  if (more) views.pop_back();
  JsonWriter json(call.response.body);
  json.begin_object().key("targets").begin_array();
  for (const TargetView& view : views) append_target(json, call, view);
  json.end_array();
  if (more) json.key("next_cursor").string(cursor_after(views.back().settings.name));
  json.end_object();
  co_return Answer<>();
}

Async<Answer<>> get_target(Call& call) {
  co_return answer_target(call, co_await call.tasks.target(call.name));
}

Async<Answer<>> put_target(Call& call) {
  return edit(call, TargetEdit::replace);
}

Async<Answer<>> change_target(Call& call) {
  return edit(call, TargetEdit::merge);
}

Async<Answer<>> delete_target(Call& call) {
  const auto force = call.query.flag("force");
  if (!force) co_return force.error();
  const auto done = co_await call.tasks.delete_target(call.name, *force);
  if (!done) co_return done.error();
  call.response.status = 204;
  co_return Answer<>();
}

Async<Answer<>> pause_target(Call& call) {
  co_return answer_target(call, co_await call.tasks.pause_target(call.name, true));
}

Async<Answer<>> resume_target(Call& call) {
  co_return answer_target(call, co_await call.tasks.pause_target(call.name, false));
}

Async<Answer<>> test_target(Call& call) {
  const auto test = co_await call.tasks.test_target(call.name);
  if (!test) co_return test.error();
  JsonWriter json(call.response.body);
  json.begin_object().key("status");
  test->status == 0 ? json.null() : json.unsigned_integer(test->status);
  json.key("delivered").boolean(test->delivered).key("error");
  test->delivered ? json.null() : json.string(test->error);
  json.key("body").string(whole_characters(test->body));
  json.key("duration_ms").integer(test->duration.count()).end_object();
  co_return Answer<>();
}

}  // namespace carillon
