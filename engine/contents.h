// Contents of tasks that are pushed: at hand when they are due, and bounded in bytes.
//
// Operation. What falls due within half a second is announced with `imminent` and read ahead into a
// cache, or taken from the batch that brought it. `bring` is told what was fired: a content that is
// at hand is given to the taker at once, the others are read, a bounded piece at a time, the
// targets taking turns (engine/fetch_queue.h). Nothing is given before its bytes are admitted
// beside those that are being pushed (engine/push_bytes.h); `release` gives them back.
//
// Concurrency: the loop's thread only; what comes back from the log after it is gone is dropped.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "base/time.h"
#include "engine/content_cache.h"
#include "engine/fetch_queue.h"
#include "engine/push_bytes.h"
#include "shard/command.h"
#include "storage/log.h"

namespace carillon {

/// Whom contents are brought to.
class ContentTaker {
 public:
  /// The task can be pushed. Its bytes are counted until they are released.
  virtual void take(const Fired& fired, ContentCache::Row row) = 0;
  /// There is no content for it.
  virtual void take_nothing(const Fired& fired) = 0;
  /// A piece was read and handed out.
  virtual void piece_taken() = 0;

 protected:
  ~ContentTaker() = default;
};

class Contents {
 public:
  /// All three must outlive it.
  Contents(Clock& clock, Log& log, ContentTaker& taker, std::uint64_t cache_bytes_max,
           std::uint64_t push_bytes_max);
  Contents(const Contents&) = delete;
  Contents& operator=(const Contents&) = delete;

  /// Will be wanted within half a second; see ShardConsumer.
  void imminent(const std::vector<TaskNumber>& numbers, std::span<ContentRow> at_hand);
  void bring(const std::vector<Fired>& fired);
  /// The push with a content of so many bytes is over.
  void release(const TargetKey& target, std::uint64_t bytes);

  /// Contents of fired tasks are being read.
  [[nodiscard]] bool fetching() const { return fetching_; }
  /// Held in memory.
  [[nodiscard]] std::uint64_t bytes() const { return cache_.bytes() + push_bytes_.bytes(); }

 private:
  static constexpr std::size_t kFetchedAtOnce = 1000;

  void read_ahead();
  void fetch();
  void note_sizes(const std::vector<Fetched>& fetched);
  void hand_out(const std::deque<Unfetched>& asked, std::vector<Fetched> fetched);
  void give_if_admitted(const Fired& fired, ContentCache::Row row);

  Clock& clock_;
  Log& log_;
  ContentTaker& taker_;
  std::uint64_t cache_bytes_max_;
  ContentCache cache_;
  PushBytes push_bytes_;
  FetchQueue unfetched_;
  std::size_t fetched_at_once_ = kFetchedAtOnce;
  bool fetching_ = false;
  std::deque<TaskNumber> to_read_ahead_;
  bool reading_ahead_ = false;
  MonoTime second_began_{};             // this second,
  std::uint64_t read_ahead_bytes_ = 0;  // and so much in it
  /// Gone when this is: what comes back late from the log looks here first.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace carillon
