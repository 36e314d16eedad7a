#include "server/log_writer.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include "base/thread.h"

namespace carillon {
namespace {

std::uint64_t lines_in(std::string_view text) {
  return static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
}

/// Writes all of it, waiting as long as that takes; what could not be written.
std::string_view write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {  // whoever shares the stream has made it non-blocking
      pollfd stream{.fd = fd, .events = POLLOUT, .revents = 0};
      ::poll(&stream, 1, -1);
    } else if (errno != EINTR) {
      break;
    }
  }
  return text;
}

}  // namespace

struct LogWriter::State {
  State(int its_fd, std::size_t bytes, DroppedLine line)
      : fd(its_fd), bytes_max(bytes), dropped_line(std::move(line)) {
    waiting.reserve(bytes_max);
    writing.reserve(bytes_max);
  }
  const int fd;
  const std::size_t bytes_max;
  const DroppedLine dropped_line;
  std::mutex mutex;
  std::condition_variable changed;
  std::string waiting;  // guarded by `mutex`, as are the two flags
  bool busy = false;    // `writing` is being written
  bool ending = false;
  std::string writing;  // the thread's own
  std::atomic<std::uint64_t> dropped = 0;
};

LogWriter::LogWriter(int fd, std::size_t bytes_max, DroppedLine dropped_line)
    : state_(std::make_shared<State>(fd, bytes_max, std::move(dropped_line))) {
  std::thread([state = state_] {
    begin_thread("log");
    run(state);
  }).detach();
}

LogWriter::~LogWriter() {
  const std::lock_guard lock(state_->mutex);
  state_->ending = true;
  state_->changed.notify_all();
}

void LogWriter::write(std::string_view line) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->waiting.size() + line.size() > state_->bytes_max) {
      state_->dropped += lines_in(line);
      return;
    }
    state_->waiting += line;
  }
  state_->changed.notify_all();
}

bool LogWriter::flush(Millis patience) {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, patience,
                                  [this] { return state_->waiting.empty() && !state_->busy; });
}

std::uint64_t LogWriter::dropped() const {
  return state_->dropped;
}

void LogWriter::run(const std::shared_ptr<State>& state) {
  std::uint64_t told = 0;  // of `dropped`
  std::unique_lock lock(state->mutex);
  for (;;) {
    state->changed.wait(lock, [&] { return state->ending || !state->waiting.empty(); });
    if (state->waiting.empty()) return;
    state->waiting.swap(state->writing);
    state->busy = true;
    // Lines that are dropped from now on come behind those that will wait meanwhile.
    const std::uint64_t dropped = state->dropped;
    lock.unlock();
    const std::string_view lost = write_all(state->fd, state->writing);
    state->dropped += lines_in(lost);
    if (lost.empty() && dropped > told) {
      const std::string line = state->dropped_line(dropped - std::exchange(told, dropped));
      static_cast<void>(write_all(state->fd, line));
    }
    state->writing.clear();
    lock.lock();
    state->busy = false;
    state->changed.notify_all();
  }
}

}  // namespace carillon
