// What `carillon top` shows, made of the server's answers: a server at one look.
//
// Operation: a pure function of what was answered. The first lines are what is always worth seeing
// (counts, rates, lateness, open alarms); lanes and targets follow, the targets with most backlog
// first, as many as there is room for.
//
// Text from the server is made printable here (terminal.h). Limitations: a line is cut by
// characters, so where the text is of double width it may be cut late.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace carillon::client {

/// Bodies of the calls, as they were answered.
struct Seen {
  std::string stats;    // GET /v1/stats
  std::string history;  // GET /v1/history
  std::string targets;  // GET /v1/targets
  std::string alarms;   // GET /v1/alarms
};

struct ScreenLine {
  enum class Look { plain, strong, warning };
  std::string text;
  Look look = Look::plain;
  friend bool operator==(const ScreenLine&, const ScreenLine&) = default;
};

struct ScreenSize {
  std::size_t columns = 0;  // 0: as many as it takes
  std::size_t rows = 0;     // likewise
};

[[nodiscard]] std::vector<ScreenLine> overview(const Seen& seen, ScreenSize size);

}  // namespace carillon::client
