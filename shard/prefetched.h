// Visits what is about tasks, records or commands, in order, some dozens of them brought near
// ahead.
//
// Nearly every one is about a task whose memory is in no cache. So the index and then the entries
// are asked for some dozens at once, and their page walks and reads overlap; the table is asked for
// a chunk before the entries that it leads to.
//
// Concurrency: none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <variant>

#include "wheel/task_index.h"

namespace carillon {

/// Calls `visit` for each of `all`, a span of variants, with its index.
template <typename All, typename Visit>
void for_each_prefetched(const TaskIndex& index, All all, const Visit& visit) {
  constexpr std::size_t kChunk = 64;
  const auto task_of = [](const auto& what) -> const Fingerprint* {
    if constexpr (requires { what.task.task; }) {
      return &what.task.task;
    } else if constexpr (requires { what.task; }) {
      return &what.task;
    } else {
      return nullptr;
    }
  };
  const auto prefetch = [&](std::size_t begin, auto bring) {
    for (std::size_t i = begin; i < std::min(all.size(), begin + kChunk); ++i) {
      if (const Fingerprint* task = std::visit(task_of, all[i])) (index.*bring)(*task);
    }
  };
  prefetch(0, &TaskIndex::prefetch);
  for (std::size_t begin = 0; begin < all.size(); begin += kChunk) {
    prefetch(begin + kChunk, &TaskIndex::prefetch);
    prefetch(begin, &TaskIndex::prefetch_entry);
    const std::size_t end = std::min(all.size(), begin + kChunk);
    for (std::size_t i = begin; i < end; ++i) visit(all[i], i);
  }
}

}  // namespace carillon
