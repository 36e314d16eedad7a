// The row of a task's content: encode once when the task is added, decode in place when it is
// pushed.
//
// The layout, byte by byte, is in docs/on-disk-format.md. A row carries its own format version and
// checksum, so a payload that was damaged on its way is never pushed.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "wheel/task.h"

namespace carillon {

/// The row of `content`.
[[nodiscard]] std::string encode_content(const TaskContent& content);

/// Views into `row`, which must outlive the answer. Error slug `storage`: checksum, version or
/// layout.
[[nodiscard]] Result<TaskContent> decode_content(std::string_view row);

/// Hash (48 bits) of what a client chose in the content of `row`, which encode_content made:
/// everything but created_at, webhook_id and attempts_before.
[[nodiscard]] std::uint64_t content_digest(const SipKey& key, std::string_view row);

}  // namespace carillon
