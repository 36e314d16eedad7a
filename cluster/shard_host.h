// One shard on this node: followed, taken over, owned, given up, and begun anew.
//
// Operation: `set_duty` says what membership wants; the host does the next step towards it and
// reports where it is. It opens the shard's log over a mirror of its own (data_dir/shards/N),
// replays it off the loop, and follows what the owner appends. On the order to take over it tries
// once; if somebody else has appended, it goes on following. As the owner it starts the engine,
// which serves calls and pushes. To give the shard up it lets the engine bring its work to an end,
// and follows again from what is on the disk.
//
//   closed ──▶ opening ──▶ following ──▶ taking ──▶ owning ──▶ leaving
//     ▲           │            │  ▲        │           │          │
//     └───────────┴────────────┘  └────────┘           ▼          │
//                         closed, and again after a while ◀───────┘
//
// The engine of a shard that was lost to another node (fenced) has decided things that never came
// to be, so engine and log are thrown away. Callers that still wait for an answer keep them alive
// until then.
// It is opened again after 5 s, then after twice as long, up to a minute, so that two nodes that
// fight over a shard come to rest.
//
// Given up, it waits for pushes under way for 5 s. What takes longer is pushed again by the next
// owner, with the same webhook-id.
//
// Concurrency: the loop's thread, but for `served` and `report`, which are for any. Opening,
// replaying and closing block, and run on `workers`.
//
// Errors: a stream that its mirror cannot be a copy of is logged, with how to go on, and tried
// again after a minute.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "cluster/control.h"
#include "cluster/heartbeat.h"
#include "cluster/membership.h"
#include "engine/engine.h"
#include "storage/jetstream/jetstream_log.h"

namespace carillon {

class ShardHost {
 public:
  struct Parts {
    boost::asio::io_context& loop;
    boost::asio::thread_pool& workers;
    Clock& clock;
    Sink& sink;
    UrlPolicy& urls;
    JetstreamLogOptions log;
    EngineOptions engine;
    ShardNumber shard = 0;
    Hash128 incarnation;  // of this node
    /// Counts the logs that are open, also of those that nobody but their callers hold any more.
    std::shared_ptr<std::atomic<int>> open_logs;
    /// The report is another one now, or the shard has come to be owned or lost.
    std::function<void()> changed;
    /// The owner has appended something.
    std::function<void(std::uint64_t epoch)> owner_appended;
  };
  /// What is referred to must outlive it.
  explicit ShardHost(Parts parts);
  ~ShardHost();
  ShardHost(const ShardHost&) = delete;
  ShardHost& operator=(const ShardHost&) = delete;

  void set_duty(Membership::Duty duty);
  void set_limits(const TargetLimits& limits);
  /// The engine that is served now has the cluster's settings up to `place`.
  void set_settings(StreamPlace place);
  /// Waits for NATS no longer; what is under way ends as if the shard were lost.
  void give_up_waiting();

  /// The engine of a shard that is owned; null else. Whoever holds it keeps it alive.
  [[nodiscard]] std::shared_ptr<Engine> served() const;
  /// Nothing: it is neither owned nor followed.
  [[nodiscard]] std::optional<ShardReport> report() const;
  /// Pushes of it are under way, or something is not closed yet.
  [[nodiscard]] bool busy() const { return state_ != State::closed; }
  /// How often this node became its owner, and lost it to another. The loop's thread.
  [[nodiscard]] std::uint64_t taken_over() const { return taken_over_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  enum class State { closed, opening, following, taking, owning, leaving, closing };
  /// A log and the engine over it. Made on the workers and the loop, unmade on both.
  struct Opened {
    std::unique_ptr<JetstreamLog> log;
    std::unique_ptr<Engine> engine;
  };

  void open();
  void opened(Result<std::unique_ptr<JetstreamLog>> log);
  void replayed(const Result<WallTime>& latest);
  void follow();
  void followed(Result<std::vector<Batch>> batches);
  void take_over();
  void own();
  void leave();
  void left();
  void fenced();
  void fail(const Error& why);
  void close(std::chrono::milliseconds again_after);
  void set_state(State state);
  [[nodiscard]] std::shared_ptr<Opened> make_opened(std::unique_ptr<JetstreamLog> log);
  /// Runs `work` on the loop while this host is there.
  template <typename Work>
  [[nodiscard]] auto on_loop(Work work);

  Parts its_;
  Membership::Duty duty_ = Membership::Duty::none;
  std::shared_ptr<Opened> opened_;
  WallTime latest_{};  // the latest time that the log has said
  MonoTime not_before_{};
  std::chrono::milliseconds fenced_pause_;
  MonoTime owned_since_{};
  std::uint64_t taken_over_ = 0;
  std::uint64_t lost_ = 0;
  mutable std::mutex mutex_;  // over what follows, which is written on the loop alone
  State state_ = State::closed;
  std::shared_ptr<Opened> shown_;  // to other threads
  std::uint64_t given_up_ = 0;     // the last epoch
  StreamPlace settings_ = 0;       // of what is owned
  /// Gone when this is.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace carillon
