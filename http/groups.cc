#include "base/json.h"
#include "http/handlers.h"

namespace carillon {

Async<Answer<>> get_group(Call& call) {
  const auto group = co_await call.engine.group(call.name);
  if (!group) co_return group.error();
  JsonWriter json(call.response.body);
  json.begin_object().key("group").string(call.name).key("counts").begin_object();
  for (std::size_t i = 0; i < group->counts.size(); ++i)
    json.key(kStateNames[i]).unsigned_integer(group->counts[i]);
  json.end_object();
  if (group->earliest_due) json.key("earliest_due").moment(*group->earliest_due);
  if (group->latest_due) json.key("latest_due").moment(*group->latest_due);
  json.end_object();
  co_return Answer<>();
}

Async<Answer<>> cancel_group(Call& call) {
  const auto done = co_await call.engine.cancel_group(call.name);
  if (!done) co_return done.error();
  JsonWriter json(call.response.body);
  json.begin_object().key("cancelled").unsigned_integer(done->cancelled);
  json.key("firing").unsigned_integer(done->firing).end_object();
  co_return Answer<>();
}

Async<Answer<>> shift_group(Call& call) {
  const auto by = read_by(call, true);
  if (!by) co_return by.error();
  const auto shifted = co_await call.engine.shift_group(call.name, *by);
  if (!shifted) co_return shifted.error();
  JsonWriter json(call.response.body);
  json.begin_object().key("shifted").unsigned_integer(*shifted).end_object();
  co_return Answer<>();
}

}  // namespace carillon
