// What the commands of carillon-replay share: where to say what, and how it ends.
#pragma once

#include <string>

#include "base/result.h"
#include "tools/replay/salvage.h"

namespace carillon::replay {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;  // it could not be done
inline constexpr int kUsage = 2;   // the command line makes no sense
inline constexpr int kLost = 4;    // done with what is there, but something is lost

/// A line on stderr that is rewritten while long work goes on.
class ProgressLine {
 public:
  /// Silent unless stderr is a terminal or `always`.
  explicit ProgressLine(bool always);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const std::string& line);
  /// As Salvage takes it: "reading the log: 120 of 400 MiB".
  [[nodiscard]] Progress of(std::string what);

 private:
  bool shown_ = false;
  bool on_ = false;
  bool terminal_ = false;
};

/// Says it on stderr; returns kFailed.
int fail(const Error& error);

/// "1 task", "12,345 tasks"
[[nodiscard]] std::string counted(std::uint64_t number, std::string_view one,
                                  std::string_view many);

}  // namespace carillon::replay
