// A data directory looked at: whether it is in use, whether the server would start on it, what can
// be read of it, and the history that follows from that. The first step of every command.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "tools/replay/console.h"
#include "tools/replay/history.h"
#include "tools/replay/salvage.h"
#include "tools/replay/saved_tasks.h"

namespace carillon::replay {

struct Inspection {
  DataDir dir;
  std::optional<Sequence> synced;  // the mark
  /// Why carillond would not start on it; empty: it would, as far as opening tells.
  std::string refusal;
  std::unique_ptr<Salvage> salvage;
  std::unique_ptr<History> history;

  /// By which ids are found. Error slug: storage.
  [[nodiscard]] Result<SipKey> key() const;
  /// Behind all that is known to have been in the log.
  [[nodiscard]] Sequence next() const { return std::max(history->last(), synced.value_or(0)) + 1; }
  /// Something that was acknowledged cannot be read, contents aside.
  [[nodiscard]] bool log_is_whole() const {
    return history->lost().empty() && history->bad_rows().empty();
  }
};

/// Errors: no such directory, in use by a server, of a newer format, or `until` is before
/// everything that is kept.
[[nodiscard]] Result<Inspection> inspect(const std::string& dir, const Until& until,
                                         ProgressLine& progress);

/// What was lost, one line each, on stderr: damaged files, sequences, contents. For the commands
/// that save what is left.
void report_losses(const Inspection& inspection, const SavedTasks& tasks);

}  // namespace carillon::replay
