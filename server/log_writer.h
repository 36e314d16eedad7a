// Writes log lines to a file descriptor without ever making their author wait.
//
// Operation: lines go into a buffer of bounded size; a thread of its own writes them. So a pipe
// whose reader has stopped, or a terminal after Ctrl-S, holds up that thread and nothing else. A
// line that does not fit is dropped and counted; once there is room again, a line in the place of
// those that are missing says how many they were. Lines that could not be written, because the
// reader has gone or the disk is full, count as dropped as well.
//
// Concurrency: any thread. Nothing is allocated while the lock is held, so that a handler for
// memory that ran out can still call `flush`.
//
// Limitations: the thread cannot be ended while the kernel holds it in a write. So it is detached,
// and what it uses is never freed before it: make one writer per process.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"

namespace carillon {

class LogWriter {
 public:
  /// Makes the line that says that so many were dropped.
  using DroppedLine = std::function<std::string(std::uint64_t lines)>;

  /// Holds at most `bytes_max` that are not written yet. `fd` must stay open.
  LogWriter(int fd, std::size_t bytes_max, DroppedLine dropped_line);
  /// What is not written is lost; see `flush`.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  /// `line` with its end.
  void write(std::string_view line);
  /// Waits until all is written, at most this long; false where it is not.
  bool flush(Millis patience);
  /// Lines dropped since the start.
  [[nodiscard]] std::uint64_t dropped() const;

 private:
  struct State;
  static void run(const std::shared_ptr<State>& state);
  std::shared_ptr<State> state_;
};

}  // namespace carillon
