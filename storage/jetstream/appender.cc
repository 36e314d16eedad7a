#include "storage/jetstream/appender.h"

#include <algorithm>

#include "base/log.h"

namespace carillon {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFirstPause{5};
constexpr milliseconds kLongestPause{200};
/// A server that says nothing for so long is left for another one.
constexpr std::chrono::seconds kLeaveAfter{3};
/// And one that answers, but brings no decision: it may be cut off from the others.
constexpr std::chrono::seconds kLeaveAnywayAfter{10};

}  // namespace

std::optional<Appended> StreamAppender::append(StreamPlace place, std::string_view bytes,
                                               milliseconds patience) {
  const auto began = steady_clock::now();
  std::uint64_t connection = nats_.connection();
  steady_clock::time_point since = steady_clock::now();
  steady_clock::time_point answered = since;
  milliseconds next_pause = kFirstPause;
  do {
    const auto ack = nats_.append(stream_, place - 1, bytes);
    if (ack && ack->place == place && !ack->duplicate) return Appended::committed;
    const auto found = look(place, bytes);
    if (found && *found) return *found;
    const auto now = steady_clock::now();
    if (found) answered = now;
    if (now - answered >= kLeaveAfter || now - since >= kLeaveAnywayAfter) {
      log_warning("an append is not decided yet; it goes on being sent",
                  {{"stream", stream_.name},
                   {"place", place},
                   {"answer", ack ? "another place" : ack.error().detail}});
      nats_.leave(connection);
      connection = nats_.connection();
      since = answered = now;
    }
    next_pause = std::min(2 * next_pause, kLongestPause);
    if (patience != milliseconds::max() && steady_clock::now() - began >= patience) break;
  } while (pause(next_pause));
  return std::nullopt;
}

Result<std::optional<Appended>> StreamAppender::look(StreamPlace place, std::string_view bytes) {
  const auto found = nats_.message_at(stream_, place);
  if (!found) return found.error();
  if (*found) return std::optional(**found == bytes ? Appended::committed : Appended::fenced);
  const auto extent = nats_.extent(stream_);
  if (!extent) return extent.error();
  if (extent->first > place) return std::optional(Appended::fenced);
  return std::optional<Appended>();
}

bool StreamAppender::pause(milliseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [this] { return closed_; });
}

void StreamAppender::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

}  // namespace carillon
