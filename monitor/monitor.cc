#include "monitor/monitor.h"

#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/json.h"
#include "base/log.h"
#include "engine/async.h"
#include "engine/made_ids.h"

namespace carillon {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMessagesMax = 1000;
constexpr std::uint32_t kAttemptsMax = 360;  // one each look

}  // namespace

Monitor::Monitor(Parts parts, MonitorOptions options)
    : its_(std::move(parts)),
      options_(std::move(options)),
      timer_(its_.loop),
      random_(make_random()) {}

void Monitor::start() {
  run_detached(its_.loop, run());
}

void Monitor::stop() {
  stopped_ = true;
  timer_.cancel();
}

void Monitor::hold_changed(const std::string& target, const std::optional<TargetView::Held>& held) {
  if (held) {
    held_[target] = *held;
  } else {
    held_.erase(target);
  }
}

Async<void> Monitor::run() {
  timer_.expires_after(History::kStep);
  while (!stopped_) {
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (stopped_) co_return;
    timer_.expires_at(timer_.expiry() + History::kStep);
    co_await look();
  }
}

Async<void> Monitor::look() {
  const Stats stats = co_await its_.tasks.stats();
  const EngineCounters counters = co_await its_.tasks.counters();
  Seen seen{.point = history_.take(stats, counters),
            .stats = stats,
            .clock_steps = counters.clock_steps,
            .held = held_};
  if (options_.limits.forecast_per_second > 0) seen.busiest = co_await busiest_minute();
  if (its_.cluster != nullptr) seen.cluster = co_await its_.cluster->view();
  for (const Alarms::Change& change : alarms_.look(seen, options_.limits))
    changed(change, seen.point.at);
  if (!telling_ && !messages_.empty()) run_detached(its_.loop, tell());
}

Async<std::optional<ForecastBucket>> Monitor::busiest_minute() {
  const WallTime now = its_.tasks.now();
  const auto minutes = co_await its_.tasks.forecast(std::chrono::minutes(1), now,
                                                    now + std::chrono::hours(1), TaskFilter());
  if (!minutes || minutes->empty()) co_return std::nullopt;
  co_return *std::ranges::max_element(*minutes, {}, &ForecastBucket::tasks);
}

void Monitor::changed(const Alarms::Change& change, WallTime at) {
  const Alarm& alarm = change.alarm;
  log_warning(change.opened ? "alarm" : "alarm over",
              {{"alarm", alarm.name}, {"of", alarm.of}, {"detail", alarm.detail}});
  if (options_.alarm_url.empty() && options_.alarm_target.empty()) return;
  Message message;
  message.webhook_id = make_webhook_id(random_);
  message.at = at;
  JsonWriter json(message.body);
  json.begin_object().key("alarm").string(alarm.name);
  json.key("state").string(change.opened ? "open" : "closed");
  if (!alarm.of.empty()) json.key("of").string(alarm.of);
  json.key("since").moment(alarm.since).key("at").moment(at);
  json.key("detail").string(alarm.detail).key("advice").string(alarm.advice);
  json.end_object();
  if (messages_.size() == kMessagesMax) messages_.pop_front();
  messages_.push_back(std::move(message));
}

Async<std::shared_ptr<const TargetSettings>> Monitor::receiver() {
  if (!options_.alarm_url.empty()) {
    co_return std::make_shared<const TargetSettings>(its_.url_defaults);
  }
  Answer<TargetView> view = co_await its_.tasks.target(options_.alarm_target);
  if (!view) co_return nullptr;
  co_return std::make_shared<const TargetSettings>(std::move(view->settings));
}

/// All that there is to be told, until one fails.
Async<void> Monitor::tell() {
  telling_ = true;
  while (!messages_.empty() && !stopped_) {
    auto message = std::make_shared<Message>(std::move(messages_.front()));
    messages_.pop_front();
    const std::string url = options_.alarm_url;  // which a reload may change meanwhile
    Push push;
    push.target = co_await receiver();
    std::string why = "there is no target " + options_.alarm_target;
    if (push.target != nullptr) {
      push.row = std::shared_ptr<const std::string>(message, &message->body);
      push.content.id = "carillon-alarm";
      push.content.target = url.empty() ? push.target->name : url;
      push.content.body = message->body;
      push.content.content_type = "application/json";
      push.content.body_is_json = true;
      push.content.webhook_id = message->webhook_id;
      push.due = message->at;
      push.attempt = message->attempts + 1;
      const PushResult result = co_await push_to_the_end(its_.sink, std::move(push));
      if (result.kind == PushResult::Kind::delivered) continue;
      why = result.error;
    }
    log_warning("an alarm could not be told", {{"why", why}});
    if (++message->attempts < kAttemptsMax) messages_.push_front(std::move(*message));
    break;
  }
  telling_ = false;
}

}  // namespace carillon
