// Pushes what was fired, and tells the driver how each push came out.
//
// Operation: a fired task gets its content (engine/contents.h), goes out by delivery as its
// target's settings say, alone or with others (engine/batcher.h), and the answer becomes an
// outcome: delivered, retrying at some moment, or dead. What a push says against its target, the
// shard is told too, which holds the target. When a task's attempts began, and how many of them do
// not count, the note of the one before says; for a task's first attempt nothing is read. Over a
// shared log a push goes out only while memory is fresh (ShardDriver::is_fresh); until then it
// waits here, with its content. What has expired by then is not sent: it is due again at once, and
// the shard ends it.
//
// Concurrency: the loop's thread only; what comes back after it is gone is dropped.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/time.h"
#include "delivery/sink.h"
#include "engine/batcher.h"
#include "engine/contents.h"
#include "engine/driver.h"
#include "engine/pushing.h"
#include "engine/target_registry.h"

namespace carillon {

class Pusher final : ContentTaker, BatchTaker {
 public:
  /// All of them must outlive it. `settled`: see ShardConsumer.
  struct Parts {
    Clock& clock;
    Log& log;
    Sink& sink;
    ShardDriver& driver;
    const TargetRegistry& targets;
    EngineCounters& counters;
    std::mt19937_64& random;
    const std::function<void()>& settled;
  };
  Pusher(Parts parts, std::uint64_t cache_bytes_max, std::uint64_t push_bytes_max);

  void begin(const std::vector<Fired>& fired);
  /// A commit is over: pushes that wait for one go out.
  void settled();
  [[nodiscard]] Contents& contents() { return contents_; }
  [[nodiscard]] const Contents& contents() const { return contents_; }

 private:
  /// With its content.
  struct Waiting {
    Fired fired;
    ContentCache::Row row;
  };
  /// What came of a push.
  struct Outcome {
    PushResult result;
    std::optional<HoldReason> fault;      // of the target, as the answer of the whole push says
    bool again_at_once = false;           // it was refused together with others, and does not count
    std::optional<std::uint64_t> seed{};  // of the pause: the one that others of the push have
  };

  void take(const Fired& fired, ContentCache::Row row) override;
  void take_nothing(const Fired& fired) override;
  void piece_taken() override;
  [[nodiscard]] bool begins(Pushing& task) override;
  void expired(const Pushing& task) override;
  void batch_ended(std::vector<BatchedTask> tasks, const PushResult& whole,
                   std::vector<PushResult> results, bool in_halves) override;
  void ended(const Pushing& push, PushResult result);
  void delivered(const Pushing& push, const PushResult& result);
  /// `before`: the note of the attempt before this one.
  void failed(const Pushing& push, const std::optional<Note>& before, Outcome outcome);
  void bury(const Fired& fired, const std::string& why);

  Parts its_;
  Contents contents_;
  Batcher batcher_;
  std::vector<Waiting> waiting_;  // until memory is fresh
  /// Gone when this is: what comes back late looks here first.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace carillon
