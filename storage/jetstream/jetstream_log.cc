#include "storage/jetstream/jetstream_log.h"

#include <atomic>
#include <chrono>
#include <map>

#include <fmt/format.h>

#include "base/check.h"
#include "base/log.h"
#include "storage/bytes.h"
#include "storage/jetstream/appender.h"
#include "storage/jetstream/catch_up.h"
#include "storage/jetstream/feed.h"
#include "storage/mirror.h"
#include "storage/worker.h"

namespace carillon {

namespace {

/// Beside a content and its headers, in one message.
constexpr std::uint64_t kMessageRoom = 64 << 10;
constexpr std::uint64_t kHeaderRoom = 64 << 10;
/// Parts of a stream, or of what the account may store.
constexpr double kLowOnSpaceAt = 0.7;
constexpr double kShortOfSpaceAt = 0.8;
constexpr std::chrono::seconds kLookAtSpaceEach{1};
/// What was seen longer ago says nothing: where adds are refused, nobody may append and look again.
constexpr std::chrono::seconds kSpaceSeenFor{5};

/// Of the loop's thread, and alive as long as a callback that was posted to it may run.
struct LoopState {
  bool in_flight = false;
  bool owner = false;
  bool closed = false;
  std::chrono::steady_clock::time_point looked_at_space;
  std::uint64_t followers_ever = 0;
  std::map<std::uint64_t, Followed> followers;

  void answer(std::uint64_t follower, Result<std::vector<Batch>> batches) {
    auto found = followers.extract(follower);
    if (!found.empty() && !closed) found.mapped()(std::move(batches));
  }
  void answer_all(const Error& error) {
    for (auto& [number, done] : std::exchange(followers, {})) {
      if (!closed) done(error);
    }
  }
};

class JetstreamLogImpl final : public JetstreamLog {
 public:
  JetstreamLogImpl(JetstreamLogOptions options, std::unique_ptr<Mirror> mirror)
      : options_(std::move(options)),
        post_(options_.mirror.post),
        mirror_(std::move(mirror)),
        loop_(std::make_shared<LoopState>()),
        feed_(*options_.nats, options_.stream, options_.genesis),
        appender_(*options_.nats, options_.stream) {
    feed_.set_end(mirror_->opened_at());
    sender_.emplace("appender");
    admin_.emplace("stream");
  }
  ~JetstreamLogImpl() override { close(); }

  [[nodiscard]] SipKey key() const override { return options_.genesis.key; }
  [[nodiscard]] Result<> read(
      Sequence from, const std::function<void(Batch&&)>& visit,
      const std::function<void(std::uint64_t, std::uint64_t)>& progress) override;
  void follow(Sequence from, std::uint64_t bytes, Followed done) override;
  void append(Batch&& batch, AppendDone done) override;
  void take_over(Sequence next, WallTime at, const Hash128& incarnation,
                 std::function<void(Appended)> done) override;
  void fetch(Fetch wanted, std::function<void(std::vector<Fetched>)> done) override {
    mirror_->fetch(std::move(wanted), std::move(done));
  }
  void read_oldest(std::uint64_t bytes, std::function<void(std::vector<Batch>)> done) override {
    mirror_->read_oldest(bytes, std::move(done));
  }
  void checkpoint(std::string dir, std::function<void(Result<>)> done) override {
    mirror_->checkpoint(std::move(dir), std::move(done));
  }
  [[nodiscard]] LogStats stats() const override;
  [[nodiscard]] StreamPosition position() const override { return feed_.position(); }
  void give_up() override { appender_.close(); }
  void detach() override;
  void close() override;

 private:
  [[nodiscard]] Result<> catch_up();
  [[nodiscard]] Result<> rebuild_mirror();
  void feed_mirror();
  // On the sender's thread.
  [[nodiscard]] std::optional<Appended> send(StreamMessage& message, MirrorEnd& end);
  [[nodiscard]] std::optional<Appended> send_batch(StreamMessage& message, MirrorEnd& end);
  [[nodiscard]] std::optional<Appended> send_restated(StreamMessage& message, MirrorEnd& end);
  void purge();
  void look_at_space();

  JetstreamLogOptions options_;
  Post post_;
  std::unique_ptr<Mirror> mirror_;
  std::shared_ptr<LoopState> loop_;
  MirrorFeed feed_;
  StreamAppender appender_;
  std::atomic<double> fullness_ = 0;
  // The threads; last, so that they end first.
  std::optional<Worker> sender_;
  std::optional<Worker> admin_;
};

Result<> JetstreamLogImpl::read(Sequence from, const std::function<void(Batch&&)>& visit,
                                const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  CARILLON_CHECK(!loop_->in_flight);
  loop_->owner = false;
  loop_->followers.clear();
  auto caught_up = catch_up();
  feed_.stop();
  if (!caught_up) return caught_up;
  return mirror_->read(from, visit, progress);
}

Result<> JetstreamLogImpl::catch_up() {
  // What is trimmed while we read sends us back to the beginning.
  while (true) {
    feed_.stop();
    const MirrorEnd end = feed_.end();
    feed_.set_end(end);
    auto extent = compare_with_mirror(*options_.nats, options_.stream, options_.genesis, end.at,
                                      options_.patience);
    if (!extent) return std::move(extent.error()).in(options_.mirror.dir);
    if (extent->first > end.at.place + 1 && end.at.place > 0) {
      if (auto rebuilt = rebuild_mirror(); !rebuilt) return rebuilt;
    }
    if (feed_.end().at.place >= extent->last) return {};
    feed_mirror();
    auto there = feed_.wait_until(extent->last, options_.patience);
    if (there) return {};
    if (there.error().slug == "trimmed") continue;
    Error error = std::move(there.error()).in(options_.mirror.dir);
    if (error.slug == "storage") error.detail += ". " + how_to_go_on(options_.stream);
    return error;
  }
}

Result<> JetstreamLogImpl::rebuild_mirror() {
  log_warning("the stream was trimmed past this node's mirror, which is built anew",
              {{"stream", options_.stream.name}, {"dir", options_.mirror.dir}});
  // Nothing is fed any more once the thread has come to this.
  admin_->close();
  admin_.emplace("stream");
  mirror_->close();
  auto mirror = open_mirror_anew(options_.mirror);
  if (!mirror) return mirror.error();
  mirror_ = std::move(*mirror);
  feed_.set_end(mirror_->opened_at());
  return {};
}

void JetstreamLogImpl::feed_mirror() {
  if (!feed_.start()) return;
  admin_->post([this] {
    feed_.run(*mirror_, [this](const Error& error) {
      post_([loop = loop_, error] { loop->answer_all(error); });
    });
  });
}

void JetstreamLogImpl::follow(Sequence from, std::uint64_t bytes, Followed done) {
  const std::uint64_t number = ++loop_->followers_ever;
  loop_->followers.emplace(number, std::move(done));
  if (!loop_->owner && !loop_->in_flight) feed_mirror();
  if (const auto fault = feed_.fault()) {
    return post_([loop = loop_, number, error = *fault] { loop->answer(number, error); });
  }
  mirror_->follow(from, bytes, [loop = loop_, number](Result<std::vector<Batch>> batches) {
    loop->answer(number, std::move(batches));
  });
}

void JetstreamLogImpl::take_over(Sequence next, WallTime at, const Hash128& incarnation,
                                 std::function<void(Appended)> done) {
  CARILLON_CHECK(!loop_->in_flight);
  feed_.stop();
  loop_->owner = false;
  if (feed_.fault() || feed_.end().log.last + 1 != next) {
    return post_([loop = loop_, done = std::move(done)] {
      if (!loop->closed) done(Appended::fenced);
    });
  }
  loop_->in_flight = true;
  StreamMessage message;
  message.kind = StreamMessage::Kind::take_over;
  message.batch.at = at;
  message.incarnation = incarnation;
  sender_->post([this, message = std::move(message), done = std::move(done)]() mutable {
    MirrorEnd end = feed_.end();
    message.epoch = end.at.epoch + 1;
    const Appended how = send(message, end).value_or(Appended::fenced);
    const auto decided = [this, loop = loop_, how, done = std::move(done)] {
      if (loop->closed) return;
      loop->in_flight = false;
      loop->owner = how == Appended::committed;
      if (!loop->owner && !loop->followers.empty()) feed_mirror();
      done(how);
    };
    if (how == Appended::fenced) return post_(decided);
    feed_.set_end(end);
    mirror_->write(std::move(message.batch), end.at,
                   [post = post_, decided](Batch&&) { post(decided); });
  });
}

void JetstreamLogImpl::append(Batch&& batch, AppendDone done) {
  CARILLON_CHECK(loop_->owner && !loop_->in_flight);
  MirrorEnd end = feed_.end();
  CARILLON_CHECK(batch.records.empty() || batch.first == end.log.last + 1);
  const Sequence newest = batch.records.empty() ? end.log.first : batch.first;
  batch.trim_before = std::min(batch.trim_before, newest);
  loop_->in_flight = true;
  auto message = std::make_shared<StreamMessage>();
  message->batch = std::move(batch);
  sender_->post([this, message, end, done = std::move(done)]() mutable {
    message->epoch = end.at.epoch;
    const Appended how = send_batch(*message, end).value_or(Appended::fenced);
    const bool trims = message->batch.trim_before > 0;
    const auto decided = [this, loop = loop_, how, done = std::move(done)](Batch&& its) {
      post_([loop, how, done, shared = std::make_shared<Batch>(std::move(its))] {
        if (loop->closed) return;
        loop->in_flight = false;
        loop->owner = how == Appended::committed;
        done(how, std::move(*shared));
      });
    };
    if (how == Appended::fenced) return decided(std::move(message->batch));
    if (!message->batch.records.empty()) end.log = {message->batch.first, message->batch.last()};
    feed_.set_end(end);
    mirror_->write(std::move(message->batch), end.at, [this, trims, decided](Batch&& its) {
      if (trims) admin_->post([this] { purge(); });
      decided(std::move(its));
    });
  });
  const auto now = std::chrono::steady_clock::now();
  if (now - loop_->looked_at_space < kLookAtSpaceEach) return;
  loop_->looked_at_space = now;
  admin_->post([this] { look_at_space(); });
}

std::optional<Appended> JetstreamLogImpl::send(StreamMessage& message, MirrorEnd& end) {
  message.cluster = options_.genesis.cluster;
  message.nonce = random_hash();
  message.previous = end.at.hash;
  const std::string bytes = encode_message(message);
  const StreamPlace place = end.at.place + 1;
  const auto how = appender_.append(place, bytes);
  if (how != Appended::committed) return how;
  end.at = {place, hash_of_message(options_.genesis, bytes), message.epoch,
            place - message.contents_before};
  return how;
}

std::optional<Appended> JetstreamLogImpl::send_batch(StreamMessage& message, MirrorEnd& end) {
  const auto restated = send_restated(message, end);
  if (restated != Appended::committed) return restated;
  return send(message, end);
}

std::optional<Appended> JetstreamLogImpl::send_restated(StreamMessage& message, MirrorEnd& end) {
  Fetch wanted;
  wanted.notes = true;
  wanted.bytes_max = options_.restated_bytes_max;
  std::vector<TaskNumber> left;
  for (const Record& record : message.batch.records) {
    const auto* keep = std::get_if<record::Keep>(&record);
    if (keep != nullptr) left.push_back(keep->task.number);
  }
  while (!left.empty()) {
    // `bytes_max` is of contents alone; the notes of so many fit beside them.
    constexpr std::size_t kAtOnce = 100;
    const auto rest = left.end() - static_cast<std::ptrdiff_t>(std::min(left.size(), kAtOnce));
    wanted.numbers.assign(rest, left.end());
    left.erase(rest, left.end());
    StreamMessage contents;
    contents.kind = StreamMessage::Kind::contents;
    contents.epoch = message.epoch;
    contents.batch.first = message.batch.first;
    contents.batch.at = message.batch.at;
    for (Fetched& one : mirror_->fetch_now(wanted)) {
      if (one.left_out) left.push_back(one.number);
      if (one.content) contents.batch.contents.push_back({one.number, *std::move(one.content)});
      if (one.note) contents.batch.notes.push_back({one.number, *std::move(one.note)});
    }
    if (contents.batch.contents.empty() && contents.batch.notes.empty()) continue;
    const auto how = send(contents, end);
    if (how != Appended::committed) return how;
    ++message.contents_before;
  }
  return Appended::committed;
}

void JetstreamLogImpl::purge() {
  const auto purged = options_.nats->purge(options_.stream, mirror_->oldest_place());
  // The next trim purges this, too.
  if (!purged) log_warning("the stream is not trimmed yet", {{"why", purged.error().detail}});
}

void JetstreamLogImpl::look_at_space() {
  const auto fullness = options_.nats->fullness(options_.stream);
  if (!fullness) return;
  const double before = fullness_.exchange(*fullness);
  if (*fullness < kShortOfSpaceAt || before >= kShortOfSpaceAt) return;
  log_error(
      "the stream, or the account, is nearly full; no task is added until it has space. "
      "Raise max_bytes of the stream, or what the account may store",
      {{"stream", options_.stream.name}, {"full", fmt::format("{:.0f} %", 100 * *fullness)}});
}

LogStats JetstreamLogImpl::stats() const {
  LogStats stats = mirror_->stats();
  const auto seen = std::chrono::steady_clock::now() - loop_->looked_at_space;
  const double fullness = seen < kSpaceSeenFor ? fullness_.load() : 0;
  stats.low_on_space = stats.low_on_space || fullness >= kLowOnSpaceAt;
  stats.short_of_space = stats.short_of_space || fullness >= kShortOfSpaceAt;
  return stats;
}

void JetstreamLogImpl::detach() {
  loop_->closed = true;
  loop_->followers.clear();
  mirror_->detach();
}

void JetstreamLogImpl::close() {
  if (!sender_) return;
  if (!loop_->closed) detach();
  feed_.stop();
  appender_.close();
  sender_.reset();
  admin_.reset();
  mirror_->close();
}

}  // namespace

Result<> check_max_payload(const JetstreamClient& nats, std::uint64_t content_bytes_max) {
  const std::uint64_t needed = content_bytes_max + kHeaderRoom + kMessageRoom;
  const std::int64_t taken = nats.max_payload();
  if (taken >= 0 && static_cast<std::uint64_t>(taken) >= needed) return {};
  return Error{"config",
               fmt::format("the NATS server takes messages of {} bytes, and {} are needed. Set "
                           "max_payload to 4MB on all servers of the cluster.",
                           taken, needed),
               ""};
}

Result<std::unique_ptr<JetstreamLog>> open_jetstream_log(JetstreamLogOptions options) {
  if (auto enough = check_max_payload(*options.nats, options.content_bytes_max); !enough) {
    return enough.error();
  }
  options.mirror.key = options.genesis.key;
  remove_left_over_mirror(options.mirror.dir);
  auto mirror = open_mirror(options.mirror);
  if (!mirror) return mirror.error();
  return std::unique_ptr<JetstreamLog>(
      new JetstreamLogImpl(std::move(options), std::move(*mirror)));
}

}  // namespace carillon
