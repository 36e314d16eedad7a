// Looks at the server every ten seconds: keeps its history, opens and closes alarms, and tells who
// is to be told.
//
// Operation: what an alarm says goes to a URL or a target as a push of its own, outside of tasks,
// lanes and holds, so that it goes out also where nothing else does. One at a time, in order; one
// that fails is sent again at the next look, for an hour at most.
//
// Concurrency: the loop's thread, but for `history` and `alarms` as these say.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "delivery/sink.h"
#include "engine/task_service.h"
#include "monitor/alarms.h"
#include "monitor/history.h"
#include "monitor/options.h"

namespace carillon {

class Monitor {
 public:
  /// What is referred to must outlive it; `cluster` may be null.
  struct Parts {
    boost::asio::io_context& loop;
    TaskService& tasks;
    Sink& sink;
    ClusterStatus* cluster = nullptr;
    TargetSettings url_defaults;  // for `alarm_url`
  };
  Monitor(Parts parts, MonitorOptions options);

  /// Begins to look. `stop` ends that; a look that is under way ends by itself.
  void start();
  void stop();
  /// Looks once; `start` has this done every ten seconds.
  [[nodiscard]] Async<void> look();
  /// For the next look.
  void set_options(MonitorOptions options) { options_ = std::move(options); }
  /// The target's hold has begun, changed or, where `held` is empty, ended.
  void hold_changed(const std::string& target, const std::optional<TargetView::Held>& held);

  [[nodiscard]] const History& history() const { return history_; }
  [[nodiscard]] const Alarms& alarms() const { return alarms_; }

 private:
  /// What somebody is to be told.
  struct Message {
    std::string body;
    std::string webhook_id;
    WallTime at{};
    std::uint32_t attempts = 0;
  };
  [[nodiscard]] Async<void> run();
  [[nodiscard]] Async<std::optional<ForecastBucket>> busiest_minute();
  void changed(const Alarms::Change& change, WallTime at);
  [[nodiscard]] Async<void> tell();
  [[nodiscard]] Async<std::shared_ptr<const TargetSettings>> receiver();

  Parts its_;
  MonitorOptions options_;
  History history_;
  Alarms alarms_;
  boost::asio::steady_timer timer_;
  std::mt19937_64 random_;
  std::map<std::string, TargetView::Held> held_;
  std::deque<Message> messages_;
  bool telling_ = false;
  bool stopped_ = false;
};

}  // namespace carillon
