#include "base/json.h"
#include "delivery/target.h"
#include "http/handlers.h"
#include "http/mask.h"

namespace carillon {
namespace {

/// Signing secrets are shown to nobody; header values and the URL's query to those who set them.
std::string format_settings(const TargetSettings& settings, Secrets secrets) {
  if (secrets == Secrets::shown) return format_target(settings, Secrets::hidden);
  TargetSettings masked = settings;
  masked.url = mask_query(masked.url);
  for (auto& [name, value] : masked.headers) value = kMask;
  return format_target(masked, Secrets::hidden);
}

void append_target(JsonWriter& json, Call& call, const TargetView& view) {
  std::string& out = call.response.body;
  const std::string settings = format_settings(view.settings, call.secrets(Role::admin));
  json.begin_object().key("name").string(view.settings.name);
  // The members of the settings' own object, which has at least its url.
  out += ',';
  out += std::string_view(settings).substr(1, settings.size() - 2);
  json.key("waiting").unsigned_integer(view.waiting);
  json.key("backlog").unsigned_integer(view.backlog);
  json.key("in_flight").unsigned_integer(view.in_flight);
  json.end_object();
}

Answer<> answer_target(Call& call) {
  const auto view = call.engine.target(call.name);
  if (!view) return view.error();
  JsonWriter json(call.response.body);
  append_target(json, call, *view);
  return {};
}

Async<Answer<>> set_paused(Call& call, bool paused) {
  const auto done = co_await call.engine.pause_target(call.name, paused);
  if (!done) co_return done.error();
  co_return answer_target(call);
}

}  // namespace

Async<Answer<>> list_targets(Call& call) {
  JsonWriter json(call.response.body);
  json.begin_object().key("targets").begin_array();
  for (const TargetView& view : call.engine.targets()) append_target(json, call, view);
  json.end_array().end_object();
  co_return Answer<>();
}

Async<Answer<>> get_target(Call& call) {
  co_return answer_target(call);
}

Async<Answer<>> put_target(Call& call) {
  if (call.name.find("://") != std::string::npos)
    co_return Error{"bad_id", "a target's name must not look like a URL", ""};
  auto settings = parse_target(call.request.body);
  if (!settings) co_return settings.error();
  settings->name = call.name;
  const auto made = co_await call.engine.put_target(std::move(*settings));
  if (!made) co_return made.error();
  if (*made) {
    call.response.status = 201;
    call.response.headers += "location: /v1/targets/";
    append_percent_encoded(call.response.headers, call.name);
    call.response.headers += "\r\n";
  }
  co_return answer_target(call);
}

Async<Answer<>> delete_target(Call& call) {
  const auto force = call.query.flag("force");
  if (!force) co_return force.error();
  const auto done = co_await call.engine.delete_target(call.name, *force);
  if (!done) co_return done.error();
  call.response.status = 204;
  co_return Answer<>();
}

Async<Answer<>> pause_target(Call& call) {
  co_return co_await set_paused(call, true);
}

Async<Answer<>> resume_target(Call& call) {
  co_return co_await set_paused(call, false);
}

}  // namespace carillon
