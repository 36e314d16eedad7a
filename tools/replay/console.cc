#include "tools/replay/console.h"

#include <iostream>

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"
#include "tools/client/terminal.h"

namespace carillon::replay {

ProgressLine::ProgressLine(bool always) : terminal_(::isatty(STDERR_FILENO) == 1) {
  on_ = always || terminal_;
}

ProgressLine::~ProgressLine() {
  if (shown_ && terminal_) std::cerr << "\r\x1b[K";
}

void ProgressLine::show(const std::string& line) {
  if (!on_) return;
  if (terminal_) {
    std::cerr << "\r\x1b[K" << line << std::flush;
  } else {
    std::cerr << line << '\n';
  }
  shown_ = true;
}

Progress ProgressLine::of(std::string what) {
  return [this, what = std::move(what)](std::uint64_t read, std::uint64_t all) {
    show(fmt::format("{}: {} of at most {} MiB", what, read >> 20, all >> 20));
  };
}

int fail(const Error& error) {
  std::cerr << "carillon-replay: " << client::printable(error.detail) << '\n';
  return kFailed;
}

std::string counted(std::uint64_t number, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", grouped(number), number == 1 ? one : many);
}

}  // namespace carillon::replay
