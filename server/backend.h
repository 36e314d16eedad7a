// What stands behind the API: the tasks' service of this process, whether it is on its own or a
// node of a cluster, with all that has to be opened, started and brought to an end for it.
//
// Operation: made by `open_single` or `open_clustered`, then `recover`, then `start`. At the end
// `leave` while requests are still taken, `drain` when they are not, and once the loop has stopped
// `close`.
//
// Concurrency: the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "base/result.h"
#include "base/time.h"
#include "delivery/sink.h"
#include "engine/options.h"
#include "engine/task_service.h"
#include "net/url_policy.h"
#include "server/options.h"

namespace carillon {

class Api;

class Backend {
 public:
  /// What is referred to must outlive it.
  struct Parts {
    boost::asio::io_context& loop;
    Clock& clock;
    Sink& sink;
    UrlPolicy& urls;
    const Options& options;
    EngineOptions engine;  // within what the machine has
    /// A disk has failed: the process is to end. Any thread.
    std::function<void(const std::string& why)> on_storage_failed;
    /// The process must not go on.
    std::function<void(const std::string& why)> on_refused;
  };

  Backend() = default;
  virtual ~Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  [[nodiscard]] virtual TaskService& tasks() = 0;
  /// Tells the API what is only there in this case.
  virtual void introduce(Api& api) = 0;

  /// Brings back what was there; blocks. `progress` is called now and then with bytes read and
  /// bytes in all. Error slug `storage`.
  [[nodiscard]] virtual Result<> recover(
      const std::function<void(std::uint64_t, std::uint64_t)>& progress) = 0;
  /// What bounds the pushes, from now on.
  virtual void set_limits(const TargetLimits& limits) = 0;
  /// Begins to fire.
  virtual void start() = 0;
  /// Hands to others what can be handed over; at most `deadline`.
  [[nodiscard]] virtual Async<void> leave(Millis deadline) = 0;
  /// Fires nothing new and refuses commands; returns when pushes under way are over and their
  /// outcomes durable, or after `deadline`.
  [[nodiscard]] virtual Async<void> drain(Millis deadline) = 0;
  /// The disk takes nothing any more.
  virtual void storage_failed() = 0;
  virtual void close() = 0;
};

/// One node on its own, over RocksDB. Error slugs: config, storage.
[[nodiscard]] Result<std::unique_ptr<Backend>> open_single(Backend::Parts parts);
/// A node of a cluster, over streams of NATS. Error slugs: config, network, storage.
[[nodiscard]] Result<std::unique_ptr<Backend>> open_clustered(Backend::Parts parts);

}  // namespace carillon
