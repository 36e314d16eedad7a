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

/// The same row without body and headers; empty, as a damaged one, where it does not decode.
[[nodiscard]] std::string head_of_content(std::string_view row);

/// Whether a client chose the same in both, the due aside: everything but created_at, changed_at,
/// webhook_id and attempts_before, and the headers `traceparent` and `tracestate`.
[[nodiscard]] bool same_choices(const TaskContent& a, const TaskContent& b);
/// Whether the due was asked for, and in the same words: the same delay or the same moment.
[[nodiscard]] bool same_due_asked(const TaskContent& a, const TaskContent& b);

}  // namespace carillon
