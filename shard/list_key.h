// A task's place in the order of listings: due, then a part of its fingerprint, then its number.
//
// It keeps that place however often it is retried or its content is replaced (shard/listing.h). All
// shards of a cluster hash ids with one key, so they have one order, but for the number, which is
// a shard's own.
#pragma once

#include <compare>
#include <cstdint>

#include "wheel/task.h"

namespace carillon {

struct ListKey {
  std::int64_t due_ms = 0;
  std::uint64_t id = 0;  // a part of the fingerprint
  TaskNumber number = 0;
  friend bool operator==(const ListKey&, const ListKey&) = default;
  /// Of one id the newest first: a task whose content was replaced does not come again.
  friend std::strong_ordering operator<=>(const ListKey& a, const ListKey& b) {
    if (a.due_ms != b.due_ms) return a.due_ms <=> b.due_ms;
    if (a.id != b.id) return a.id <=> b.id;
    return b.number <=> a.number;
  }
};

}  // namespace carillon
