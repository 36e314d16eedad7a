// Fired tasks whose contents are still to be fetched: the targets take turns.
//
// In the order in which they were fired, a small task of one target would wait until hundreds of
// large contents of another have been read: 170 ms behind 300 of a megabyte each.
//
// Concurrency: none.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>

#include "shard/shard.h"

namespace carillon {

struct Unfetched {
  Fired fired;
  std::uint64_t admitted_bytes = 0;  // of the bytes under way, counted already
};

class FetchQueue {
 public:
  [[nodiscard]] bool empty() const { return turns_.empty(); }
  void push_back(Unfetched task) { of(task).push_back(task); }
  /// One that was popped and could not be fetched yet: it keeps its place before its target's
  /// others.
  void push_front(Unfetched task) { of(task).push_front(task); }

  /// The next one of the target whose turn it is. Not where it is empty.
  [[nodiscard]] Unfetched pop() {
    const std::uint64_t target = turns_.front();
    turns_.pop_front();
    const auto found = waiting_.find(target);
    Unfetched task = found->second.front();
    found->second.pop_front();
    if (found->second.empty()) {
      waiting_.erase(found);
    } else {
      turns_.push_back(target);
    }
    return task;
  }

 private:
  std::deque<Unfetched>& of(const Unfetched& task) {
    const auto [found, made] = waiting_.try_emplace(task.fired.target.low);
    if (made) turns_.push_back(task.fired.target.low);
    return found->second;
  }

  std::unordered_map<std::uint64_t, std::deque<Unfetched>>
      waiting_;                      // by the target's key; none empty
  std::deque<std::uint64_t> turns_;  // of these, each once
};

}  // namespace carillon
