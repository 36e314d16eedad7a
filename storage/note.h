// The row of a note: what is remembered of a task's last push. Layout: docs/on-disk-format.md.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "wheel/task.h"

namespace carillon {

/// The row of `note`.
[[nodiscard]] std::string encode_note(const Note& note);

/// Error slug `storage`: checksum, version or layout.
[[nodiscard]] Result<Note> decode_note(std::string_view row);

}  // namespace carillon
