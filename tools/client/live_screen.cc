#include "tools/client/live_screen.h"

#include <cerrno>
#include <iostream>

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace carillon::client {
namespace {

constexpr int kSignals[] = {SIGWINCH, SIGINT, SIGTERM, SIGHUP};

volatile std::sig_atomic_t resized = 0;
volatile std::sig_atomic_t ended = 0;

void on_signal(int signal) {
  (signal == SIGWINCH ? resized : ended) = 1;
}

std::string_view begin_of(ScreenLine::Look look) {
  switch (look) {
    case ScreenLine::Look::plain:
      return "";
    case ScreenLine::Look::strong:
      return "\x1b[1m";
    case ScreenLine::Look::warning:
      return "\x1b[33m";
  }
  return "";
}

}  // namespace

bool LiveScreen::possible() {
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
}

LiveScreen::LiveScreen() {
  resized = 0;
  ended = 0;
  struct sigaction action{};
  action.sa_handler = on_signal;  // without SA_RESTART: `poll` returns
  for (std::size_t i = 0; i < std::size(kSignals); ++i)
    ::sigaction(kSignals[i], &action, &signals_before_[i]);
  ::tcgetattr(STDIN_FILENO, &before_);
  termios keys = before_;
  keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &keys);
  std::cout << "\x1b[?1049h\x1b[?25l" << std::flush;
}

LiveScreen::~LiveScreen() {
  std::cout << "\x1b[?25h\x1b[?1049l" << std::flush;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  for (std::size_t i = 0; i < std::size(kSignals); ++i)
    ::sigaction(kSignals[i], &signals_before_[i], nullptr);
}

ScreenSize LiveScreen::size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    return {80, 24};
  return {size.ws_col, size.ws_row};
}

void LiveScreen::draw(const std::vector<ScreenLine>& lines) {
  std::string out = "\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += "\r\n";
    out.append(begin_of(lines[i].look)).append(lines[i].text).append("\x1b[0m\x1b[K");
  }
  std::cout << out << "\x1b[J" << std::flush;
}

LiveScreen::Event LiveScreen::wait(Millis time) {
  const MonoTime end = std::chrono::steady_clock::now() + time;
  while (true) {
    if (ended != 0) return Event::leave;
    if (resized != 0) {
      resized = 0;
      return Event::resized;
    }
    const auto left = std::chrono::ceil<Millis>(end - std::chrono::steady_clock::now());
    if (left <= Millis(0)) return Event::time_is_up;
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (::poll(&input, 1, static_cast<int>(left.count())) <= 0) continue;
    char key = 0;
    // A terminal that is gone reads as its end.
    if (::read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q') return Event::leave;
  }
}

}  // namespace carillon::client
