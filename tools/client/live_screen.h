// The terminal as a picture that is drawn again and again, and the keys that are pressed meanwhile.
//
// Operation: while it lives it has the terminal's other page, without a cursor, and keys come
// without Enter and are not shown. However it ends, the terminal is as it was. Escape sequences are
// those that every terminal since the VT100 knows, and the two of xterm for the other page and the
// cursor.
//
// Concurrency: one at a time in a process: signals are its business while it lives. What ends a
// program (SIGINT, SIGTERM, SIGHUP) is to it as the key `q`.
#pragma once

#include <csignal>
#include <vector>

#include <termios.h>

#include "base/time.h"
#include "tools/client/overview.h"

namespace carillon::client {

class LiveScreen {
 public:
  /// Whether standard input and output are a terminal; else there must be none of these.
  [[nodiscard]] static bool possible();

  LiveScreen();
  ~LiveScreen();
  LiveScreen(const LiveScreen&) = delete;
  LiveScreen& operator=(const LiveScreen&) = delete;

  [[nodiscard]] static ScreenSize size();
  static void draw(const std::vector<ScreenLine>& lines);
  enum class Event { time_is_up, resized, leave };
  /// What comes first.
  [[nodiscard]] static Event wait(Millis time);

 private:
  termios before_{};
  struct sigaction signals_before_[4]{};
};

}  // namespace carillon::client
