#include "api/api.h"
#include "api/handlers.h"
#include "base/json.h"
#include "monitor/audit.h"
#include "monitor/monitor.h"

namespace carillon {
namespace {

void append_point(JsonWriter& json, const History::Point& point) {
  json.begin_object().key("from").moment(point.at);
  json.key("added").unsigned_integer(point.added);
  json.key("cancelled").unsigned_integer(point.cancelled);
  json.key("fired").unsigned_integer(point.fired);
  json.key("delivered").unsigned_integer(point.delivered);
  json.key("retrying").unsigned_integer(point.retried);
  json.key("dead").unsigned_integer(point.died);
  json.key("expired").unsigned_integer(point.expired);
  json.key("pending").unsigned_integer(point.pending);
  json.key("dead_letters").unsigned_integer(point.dead);
  json.key("backlog").unsigned_integer(point.backlog);
  json.key("in_flight").unsigned_integer(point.in_flight);
  json.key("oldest_overdue_ms").integer(point.oldest_overdue.count());
  json.key("lateness_ms").begin_object();
  json.key("p50").real(in_ms(point.lateness.p50));
  json.key("p99").real(in_ms(point.lateness.p99));
  json.key("p999").real(in_ms(point.lateness.p999)).end_object();
  json.key("commit_ms").begin_object();
  json.key("p99").real(in_ms(point.commit_p99)).end_object();
  json.end_object();
}

}  // namespace

Async<Answer<>> get_history(Call& call) {
  constexpr Millis kBack = std::chrono::hours(1);
  const Monitor* const monitor = call.api.monitor();
  if (monitor == nullptr) co_return Error{"not_found", "This server keeps no history.", ""};
  const auto step = call.query.duration("step");
  if (!step) co_return step.error();
  const auto from = call.query.moment("from");
  if (!from) co_return from.error();
  const auto to = call.query.moment("to");
  if (!to) co_return to.error();
  const Millis width = step->value_or(History::kStep);
  if (width < History::kStep) co_return Error{"bad_parameter", "wanted at least 10s", "step"};
  const WallTime end = to->value_or(call.tasks.now());
  const WallTime begin = from->value_or(end - kBack);
  if (end < begin) co_return Error{"bad_parameter", "it must not be before from", "to"};
  JsonWriter json(call.response.body);
  json.begin_object().key("step").duration(width).key("points").begin_array();
  for (const History::Point& point : monitor->history().points(begin, end, width))
    append_point(json, point);
  json.end_array().end_object();
  co_return Answer<>();
}

Async<Answer<>> get_audit(Call& call) {
  constexpr std::size_t kLimit = 100;
  const Audit* const audit = call.api.audit();
  if (audit == nullptr) co_return Error{"not_found", "This server keeps no audit.", ""};
  const auto limit = call.query.integer("limit", kLimit, 1, Audit::kEntriesMax);
  if (!limit) co_return limit.error();
  JsonWriter json(call.response.body);
  json.begin_object().key("entries").begin_array();
  for (const std::string& entry : audit->last(*limit)) json.raw(entry);
  json.end_array().end_object();
  co_return Answer<>();
}

Async<Answer<>> get_alarms(Call& call) {
  const Monitor* const monitor = call.api.monitor();
  if (monitor == nullptr) co_return Error{"not_found", "This server has no alarms.", ""};
  JsonWriter json(call.response.body);
  json.begin_object().key("alarms").begin_array();
  for (const Alarm& alarm : monitor->alarms().open()) {
    json.begin_object().key("alarm").string(alarm.name);
    if (!alarm.of.empty()) json.key("of").string(alarm.of);
    json.key("since").moment(alarm.since);
    json.key("detail").string(alarm.detail);
    json.key("advice").string(alarm.advice).end_object();
  }
  json.end_array().end_object();
  co_return Answer<>();
}

}  // namespace carillon
