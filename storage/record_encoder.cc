#include "base/check.h"
#include "storage/bytes.h"
#include "storage/record_codec.h"
#include "storage/record_format.h"

namespace carillon {
namespace {

using namespace record_format;

class Encoder {
 public:
  Encoder(const Batch& batch, std::string& out) : out_(out) {
    context_.at = batch.at;
    context_.sequence = batch.first;
  }

  void record(const Record& record) {
    std::visit([this](const auto& r) { encode(r); }, record);
    ++context_.sequence;
  }

 private:
  void encode(const record::Put& put) {
    kind(Kind::put);
    statement(put.task, put.previous);
  }
  void encode(const record::Keep& keep) {
    kind(Kind::keep);
    statement(keep.task, 0);
  }
  void encode(const record::Move& move) {
    task(Kind::move, move.task, move.number);
    moment(move.due, context_.at);
  }
  void encode(const record::Cancel& cancel) { task(Kind::cancel, cancel.task, cancel.number); }
  void encode(const record::Fire& fire) { task(Kind::fire, fire.task, fire.number); }
  void encode(const record::Outcome& outcome) {
    task(Kind::outcome, outcome.task, outcome.number);
    const auto state = static_cast<std::uint8_t>(outcome.state);
    const bool retry = outcome.retry_at != WallTime{};
    const int has_push = outcome.push.known() ? kHasDeliveringPush : 0;
    out_.u8(static_cast<std::uint8_t>(state | (retry ? kHasRetryAt : 0) | has_push));
    if (retry) moment(outcome.retry_at, context_.at);
    if (has_push != 0) out_.varint(outcome.push.code());
  }
  void encode(const record::Remove& remove) { task(Kind::remove, remove.task, remove.number); }
  void encode(const record::GroupCancel& cancel) {
    const bool named = cancel.operation.given();
    kind(named ? Kind::named_group_cancel : Kind::group_cancel);
    hash(cancel.group);
    if (named) name(cancel.operation);
  }
  void encode(const record::GroupShift& shift) {
    const bool named = shift.operation.given();
    kind(named ? Kind::named_group_shift : Kind::group_shift);
    hash(shift.group);
    out_.zigzag(shift.by.count());
    if (named) name(shift.operation);
  }
  void encode(const record::TargetPut& target) {
    const bool plain = says_no_more(target);
    kind(plain ? Kind::target_put : Kind::full_target_put);
    hash(target.key);
    out_.text(target.name);
    out_.varint(target.concurrency);
    out_.u8(target.paused ? 1 : 0);
    out_.text(target.settings);
    if (plain) return;
    out_.varint(target.rate.limit);
    out_.zigzag(target.rate.per.count());
    out_.varint(target.rate.burst);
    out_.varint(target.batch_tasks);
    out_.zigzag(target.batch_wait.count());
    out_.u8(target.takes_one ? 1 : 0);
    out_.zigzag(target.paused_for.count());
    if (target.paused) moment(target.paused_since, context_.at);
  }
  void encode(const record::TargetDelete& target) {
    kind(Kind::target_delete);
    hash(target.key);
  }
  void encode(const record::CancelRetries& cancel) {
    task(Kind::cancel_retries, cancel.task, cancel.number);
  }
  void encode(const record::Operation& operation) {
    kind(Kind::operation);
    name(operation.name);
    moment(operation.at, context_.at);
    out_.varint(operation.count);
    out_.varint(operation.firing);
  }
  void encode(const record::TargetHold& hold) {
    kind(Kind::target_hold);
    hash(hold.key);
    out_.u8(static_cast<std::uint8_t>(hold.reason));
    moment(hold.since, context_.at);
    moment(hold.until, hold.since);
    out_.varint(hold.doublings);
  }
  void encode(const record::TargetRelease& release) {
    kind(Kind::target_release);
    hash(release.key);
  }

  void encode(const record::LanePut& lane) {
    kind(Kind::lane_put);
    out_.u8(lane.number);
    out_.text(lane.name);
    out_.varint(lane.weight);
    out_.varint(lane.reserved);
  }
  void encode(const record::LaneDelete& lane) {
    kind(Kind::lane_delete);
    out_.u8(lane.number);
  }

  void kind(Kind kind) { out_.u8(static_cast<std::uint8_t>(kind)); }
  void fingerprint(const Fingerprint& task) {
    out_.fixed<8>(task.low);
    out_.fixed<2>(task.high);
  }
  void hash(const Hash128& hash) { out_.hash(hash); }
  void name(const OperationName& name) {
    hash(name.key);
    out_.fixed<8>(name.arguments);
  }
  void moment(WallTime moment, WallTime base) {
    out_.zigzag(wrapping_difference(count_of(moment), count_of(base)));
  }
  void task(Kind its_kind, const Fingerprint& task, TaskNumber number) {
    kind(its_kind);
    fingerprint(task);
    out_.varint(number);
  }

  [[nodiscard]] std::uint32_t flags_of(const Statement& task, TaskNumber previous) const {
    std::uint32_t flags = 0;
    if (task.number == context_.sequence) flags |= kOwnNumber;
    if (task.target == context_.target) flags |= kTargetRepeats;
    if (task.target_is_url) flags |= kTargetIsUrl;
    if (task.group != GroupKey{}) flags |= task.group == context_.group ? kGroupRepeats : kGroup;
    if (task.expire_after) flags |= kExpireAfter;
    if (task.attempt != 0) flags |= kAttempt;
    if (previous != 0) flags |= kPrevious;
    if (task.asked_due != task.due) flags |= kAskedDue;
    if (task.state != State::scheduled) flags |= kState;
    if (task.finished_at != WallTime{}) flags |= kFinishedAt;
    if (task.redriven_at != WallTime{}) flags |= kRedrivenAt;
    if (task.retries_cancelled) flags |= kRetriesCancelled;
    if (task.lane != kDefaultLane) flags |= kLane;
    if (task.dies_late) flags |= kDiesLate;
    if (task.push.known()) flags |= kDeliveringPush;
    if (task.merge.given()) flags |= kMerge;
    return flags;
  }

  void statement(const Statement& task, TaskNumber previous) {
    const std::uint32_t flags = flags_of(task, previous);
    out_.varint(flags);
    fingerprint(task.task);
    if ((flags & kOwnNumber) == 0) out_.varint(task.number);
    moment(task.due, context_.at);
    if ((flags & kTargetRepeats) == 0) hash(task.target);
    if ((flags & kGroup) != 0) hash(task.group);
    if (task.expire_after) out_.zigzag(task.expire_after->count());
    if ((flags & kAttempt) != 0) out_.varint(task.attempt);
    if ((flags & kPrevious) != 0) out_.varint(previous);
    if ((flags & kAskedDue) != 0) moment(task.asked_due, task.due);
    if ((flags & kState) != 0) out_.u8(static_cast<std::uint8_t>(task.state));
    if ((flags & kFinishedAt) != 0) moment(task.finished_at, context_.at);
    if ((flags & kRedrivenAt) != 0) moment(task.redriven_at, context_.at);
    if ((flags & kLane) != 0) out_.u8(task.lane);
    if ((flags & kDeliveringPush) != 0) out_.varint(task.push.code());
    if ((flags & kMerge) != 0) {
      out_.fixed<8>(task.merge.part);
      out_.zigzag(task.merge.within.count());
    }
    context_.after(task);
  }

  ByteWriter out_;
  Context context_;
};

}  // namespace

void encode_batch(const Batch& batch, std::string& out) {
  CARILLON_CHECK(batch.first > 0 && !batch.records.empty());
  const std::size_t start = out.size();
  ByteWriter header(out);
  header.u8(kBatchVersion);
  header.varint(batch.first);
  header.varint(batch.records.size());
  header.zigzag(count_of(batch.at));
  Encoder encoder(batch, out);
  for (const Record& record : batch.records) encoder.record(record);
  seal_row(out, start);
}

}  // namespace carillon
