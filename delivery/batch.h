// Several tasks in one push: the body that carries them, and what the answer says of each.
//
// docs/batches.md is what receivers rely on. The body is
//
//   {"tasks":[{"id":"ann:c7","webhook_id":"msg_...","due_at":"...","attempt":1,"lane":"default",
//              "headers":{},"payload":{"user":"ann"}}, ...]}
//
// and a 2xx may say in its own body what became of single tasks:
//
//   {"results":[{"webhook_id":"msg_...","status":503,"retry_after":30}]}
//
// Operation: each task is written by itself as soon as its content is there, so that whoever puts
// them together knows how long the body gets, and need not keep the contents.
//
// Concurrency: pure functions, but for the reader that is handed in.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "delivery/sink.h"

namespace carillon {

/// A task as it stands in the body. Its payload is there byte for byte.
[[nodiscard]] std::string format_batched(const TaskContent& content, WallTime due,
                                         std::uint32_t attempt);

/// How long the body is of so many tasks that are so long together.
[[nodiscard]] std::size_t batch_bytes(std::size_t tasks, std::size_t bytes);

/// The push of those tasks, at least one. `webhook_id`: of the push itself.
[[nodiscard]] Push make_batch(std::shared_ptr<const TargetSettings> target,
                              std::span<const std::string_view> tasks, std::string webhook_id);

/// What a push in batch form came to for each of its tasks, by their webhook ids. A 2xx is asked
/// what it says of them: those that it does not name are delivered. Where what it says cannot be
/// relied on (cut, too long, no JSON, or about others), it failed for all of them.
[[nodiscard]] std::vector<PushResult> batch_results(JsonReader& reader, const PushResult& whole,
                                                    std::span<const std::string_view> webhook_ids);

}  // namespace carillon
