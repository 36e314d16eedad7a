// What was done in a client's name for it, so that the same sent again is answered and not done
// again.
//
// A client that lost the answer to a group shift cannot tell whether the group has moved. It gives
// the operation a name; the record in the log carries it, and applying that record remembers the
// answer here for a day. Cleaning the log restates it as a record of its own. The key is a keyed
// hash of the call, of what it is about, and of the client's name for it.
//
//     by key:  key -> arguments, at, count, firing
//     order :  [ oldest ... newest ]  what is older than a day leaves at the front
//
// Bounds: `kMost` of them, some 25 MB; then no further named operation is taken until one is a day
// old. None is forgotten early: a client relies on it.
//
// Concurrency: none.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "shard/record.h"

namespace carillon {

class Operations {
 public:
  static constexpr Millis kRemembered = std::chrono::days(1);
  static constexpr std::size_t kMost = 262'144;

  /// What was done under that key within the last day before `now`; null: nothing.
  [[nodiscard]] const record::Operation* find(const Hash128& key, WallTime now) const {
    const auto found = by_key_.find(key);
    if (found == by_key_.end() || now - found->second.at > kRemembered) return nullptr;
    return &found->second;
  }
  [[nodiscard]] bool full() const { return by_key_.size() >= kMost; }

  void remember(const record::Operation& operation) {
    const auto [at, fresh] = by_key_.insert_or_assign(operation.name.key, operation);
    static_cast<void>(fresh);
    order_.push_back({operation.at, operation.name.key});
  }
  /// Forgets those that are older than a day at `now`. Restated ones come out of order after a
  /// restart: what is behind a newer one goes later.
  void forget_old(WallTime now) {
    for (; !order_.empty() && now - order_.front().at > kRemembered; order_.pop_front()) {
      const auto found = by_key_.find(order_.front().key);
      // Unless it was done again since.
      if (found != by_key_.end() && found->second.at == order_.front().at) by_key_.erase(found);
    }
  }

  [[nodiscard]] std::size_t size() const { return by_key_.size(); }
  /// Of the last day before `now`.
  [[nodiscard]] std::vector<record::Operation> all(WallTime now) const {
    std::vector<record::Operation> all;
    for (const auto& [key, operation] : by_key_) {
      if (now - operation.at <= kRemembered) all.push_back(operation);
    }
    return all;
  }
  /// About what they occupy.
  [[nodiscard]] std::uint64_t bytes() const {
    constexpr std::uint64_t kMapNode = 16 + sizeof(record::Operation) + sizeof(Hash128);
    return by_key_.size() * kMapNode + order_.size() * sizeof(Done);
  }

 private:
  struct KeyHash {
    std::size_t operator()(const Hash128& key) const { return key.low; }
  };
  struct Done {
    WallTime at{};
    Hash128 key;
  };
  std::unordered_map<Hash128, record::Operation, KeyHash> by_key_;
  std::deque<Done> order_;
};

}  // namespace carillon
