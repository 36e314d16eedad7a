#include "storage/jetstream/feed.h"

#include <future>

#include <fmt/format.h>

#include "base/check.h"
#include "base/log.h"
#include "storage/bytes.h"

namespace carillon {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// How soon `run` notices that it is not wanted any more.
constexpr milliseconds kLook{100};
/// After so long without a message the leader is asked whether there are any.
constexpr std::chrono::seconds kQuiet{2};
constexpr std::chrono::seconds kLeaveAfter{3};

/// Writes and waits for it. False: the mirror has failed, and dropped what it was given.
bool write(Mirror& mirror, Batch&& batch, const StreamPosition& position) {
  auto written = std::make_shared<std::promise<void>>();
  const auto end = written->get_future();
  const auto done = std::make_shared<bool>(false);
  mirror.write(std::move(batch), position, [written = std::move(written), done](Batch&&) {
    *done = true;
    written->set_value();
  });
  end.wait();
  return *done;
}

}  // namespace

MirrorFeed::MirrorFeed(JetstreamClient& nats, StreamName stream, const Genesis& genesis)
    : nats_(nats), stream_(std::move(stream)), genesis_(genesis) {}

bool MirrorFeed::start() {
  const std::lock_guard lock(mutex_);
  return !fault_ && !std::exchange(wanted_, true);
}

void MirrorFeed::stop() {
  const std::lock_guard lock(mutex_);
  wanted_ = false;
  changed_.notify_all();
}

bool MirrorFeed::wanted() const {
  const std::lock_guard lock(mutex_);
  return wanted_;
}

MirrorEnd MirrorFeed::end() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

void MirrorFeed::set_end(const MirrorEnd& end) {
  const std::lock_guard lock(mutex_);
  CARILLON_CHECK(!wanted_);
  end_ = end;
  set_position(end.at);
  fault_.reset();
}

StreamPosition MirrorFeed::position() const {
  const std::lock_guard lock(position_mutex_);
  return position_;
}

void MirrorFeed::set_position(const StreamPosition& position) {
  const std::lock_guard lock(position_mutex_);
  position_ = position;
}

std::optional<Error> MirrorFeed::fault() const {
  const std::lock_guard lock(mutex_);
  return fault_;
}

Result<> MirrorFeed::wait_until(StreamPlace place, milliseconds patience) {
  std::unique_lock lock(mutex_);
  while (end_.at.place < place && !fault_) {
    const StreamPlace before = end_.at.place;
    const bool moved = changed_.wait_for(
        lock, patience, [&] { return end_.at.place != before || fault_.has_value(); });
    if (!moved) {
      return Error{"network",
                   fmt::format("the stream {} has {} messages more, but none has come for {} s",
                               stream_.name, place - before, patience.count() / 1000),
                   ""};
    }
  }
  if (fault_) return *fault_;
  return {};
}

void MirrorFeed::run(Mirror& mirror, const std::function<void(const Error&)>& failed) {
  std::uint64_t connection = nats_.connection();
  auto since = steady_clock::now();
  while (wanted()) {
    if (const auto subscription = nats_.subscribe(stream_, end().at.place + 1)) {
      since = steady_clock::now();
      receive(**subscription, mirror);
      continue;
    }
    if (steady_clock::now() - since >= kLeaveAfter) {
      nats_.leave(connection);
      since = steady_clock::now();
    }
    connection = nats_.connection();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kLook, [this] { return !wanted_; });
  }
  if (const auto error = fault()) failed(*error);
}

void MirrorFeed::receive(StreamSubscription& subscription, Mirror& mirror) {
  for (auto heard = steady_clock::now(); wanted();) {
    const auto received = subscription.next(kLook);
    if (!received) return;
    if (*received) {
      heard = steady_clock::now();
      if (!take(**received, mirror)) return;
    } else if (steady_clock::now() - heard >= kQuiet) {
      heard = steady_clock::now();
      const auto extent = nats_.extent(stream_);
      if (!extent || extent->last > end().at.place) return;
    }
  }
}

bool MirrorFeed::take(const StreamSubscription::Received& received, Mirror& mirror) {
  std::unique_lock lock(mutex_);
  if (!wanted_ || received.place <= end_.at.place) return true;
  if (const StreamPlace next = end_.at.place + 1; received.place > next) {
    lock.unlock();
    const auto extent = nats_.extent(stream_);
    const bool trimmed = extent && extent->first > next;
    if (next > 1 && trimmed) {
      fail({"trimmed",
            fmt::format("the stream {} begins at message {}; message {} is no longer there",
                        stream_.name, extent->first, next),
            ""});
    }
    // A mirror that is new may begin where the stream does.
    if (next > 1 || !trimmed || received.place != extent->first) return false;
    lock.lock();
    if (!wanted_) return true;
  }
  if (auto applied = apply(received, mirror); !applied) {
    lock.unlock();
    fail(std::move(applied.error()).in(stream_.name));
    return false;
  }
  changed_.notify_all();
  return true;
}

Result<> MirrorFeed::apply(const StreamSubscription::Received& received, Mirror& mirror) {
  auto message = decode_message(received.bytes);
  if (!message) return std::move(message.error()).in(fmt::format("message {}", received.place));
  const auto counts = check_next(genesis_, end_.at, received.place, *message);
  if (!counts) return counts.error();
  StreamPosition next{received.place, hash_of_message(genesis_, received.bytes), end_.at.epoch, 0};
  Batch batch;
  if (*counts) {
    next.epoch = message->epoch;
    next.batch_begins_at = received.place - message->contents_before;
    batch = std::move(message->batch);
    if (message->kind == StreamMessage::Kind::contents) {
      batch.first = 0;
      batch.at = WallTime{};
    }
  }
  if (!batch.records.empty()) {
    if (end_.log.last != 0 && batch.first != end_.log.last + 1) {
      return storage_error(fmt::format("message {} begins with sequence {}, after {}",
                                       received.place, batch.first, end_.log.last));
    }
    end_.log = {batch.first, batch.last()};
  }
  if (!write(mirror, std::move(batch), next)) return storage_error("the mirror cannot be written");
  end_.at = next;
  set_position(next);
  return {};
}

void MirrorFeed::fail(Error error) {
  const std::lock_guard lock(mutex_);
  if (!wanted_) return;
  log_error("the stream is not followed any more", {{"why", error.detail}});
  wanted_ = false;
  fault_ = std::move(error);
  changed_.notify_all();
}

}  // namespace carillon
