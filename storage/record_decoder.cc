#include "storage/bytes.h"
#include "storage/record_codec.h"
#include "storage/record_format.h"

namespace carillon {
namespace {

using namespace record_format;

class Decoder {
 public:
  Decoder(ByteReader& in, const Batch& batch, std::uint8_t version) : in_(in), version_(version) {
    context_.at = batch.at;
    context_.sequence = batch.first;
  }

  /// Into `record`, which is a Put of nothing: what most records are.
  void record(Record& record) {
    const auto kind = static_cast<Kind>(in_.u8());
    if (version_ < kBatchVersion && kind > last_kind(version_))
      in_.fail("a kind newer than the row");
    if (kind == Kind::put) {
      auto& put = std::get<record::Put>(record);
      put.previous = statement(put.task);
    } else {
      record = other(kind);
    }
    ++context_.sequence;
  }

 private:
  Record other(Kind kind) {
    switch (kind) {
      case Kind::put:
        break;
      case Kind::keep: {
        record::Keep keep;
        if (statement(keep.task) != 0) in_.fail("a restated task that replaces another");
        return keep;
      }
      case Kind::move: {
        auto move = task<record::Move>();
        move.due = moment(context_.at);
        return move;
      }
      case Kind::cancel:
        return task<record::Cancel>();
      case Kind::fire:
        return task<record::Fire>();
      case Kind::outcome:
        return outcome();
      case Kind::remove:
        return task<record::Remove>();
      case Kind::group_cancel:
        return record::GroupCancel{hash(), {}};
      case Kind::named_group_cancel: {
        const GroupKey group = hash();
        return record::GroupCancel{group, name()};
      }
      case Kind::group_shift: {
        const GroupKey group = hash();
        return record::GroupShift{group, Millis(in_.zigzag()), {}};
      }
      case Kind::named_group_shift: {
        const GroupKey group = hash();
        const Millis by(in_.zigzag());
        return record::GroupShift{group, by, name()};
      }
      case Kind::target_put: {
        const record::TargetPut target = target_put();
        if (target.paused && version_ >= 5) in_.fail("a paused target that says not since when");
        return target;
      }
      case Kind::full_target_put:
        return full_target_put();
      case Kind::target_delete:
        return record::TargetDelete{hash()};
      case Kind::cancel_retries:
        return task<record::CancelRetries>();
      case Kind::operation:
        return operation();
      case Kind::target_hold:
        return target_hold();
      case Kind::target_release:
        return record::TargetRelease{hash()};
      case Kind::lane_put:
        return lane_put();
      case Kind::lane_delete:
        return record::LaneDelete{lane()};
    }
    in_.fail("an unknown kind of record");
    return {};
  }

  Record outcome() {
    auto outcome = task<record::Outcome>();
    const std::uint8_t byte = in_.u8();
    const int has_push = version_ < 5 ? 0 : byte & kHasDeliveringPush;
    outcome.state = state(byte & ~(kHasRetryAt | has_push));
    if ((byte & kHasRetryAt) != 0) {
      outcome.retry_at = moment(context_.at);
      if (outcome.retry_at == WallTime{}) in_.fail("a retry at no time");
    }
    if (has_push != 0) outcome.push = delivering_push();
    return outcome;
  }

  DeliveringPush delivering_push() {
    const auto push = DeliveringPush::of(in_.varint());
    if (!push) in_.fail("a delivering push that never was");
    return push.value_or(DeliveringPush());
  }

  record::TargetPut target_put() {
    record::TargetPut target;
    target.key = hash();
    target.name = in_.text();
    target.concurrency = in_.varint32();
    target.paused = truth();
    target.settings = in_.text();
    // Since version 5 one that is paused says since when.
    if (target.paused) target.paused_since = context_.at;
    return target;
  }

  Record full_target_put() {
    record::TargetPut target = target_put();
    target.rate.limit = in_.varint32();
    target.rate.per = Millis(in_.zigzag());
    target.rate.burst = in_.varint32();
    target.batch_tasks = in_.varint32();
    target.batch_wait = Millis(in_.zigzag());
    target.takes_one = truth();
    target.paused_for = Millis(in_.zigzag());
    if (target.paused) target.paused_since = moment(context_.at);
    if (target.rate.per < Millis(1)) in_.fail("a rate over no time");
    if (says_no_more(target)) in_.fail("a target's rate, batches and pauses that say nothing");
    return target;
  }

  Record lane_put() {
    record::LanePut put;
    put.number = lane();
    put.name = in_.text();
    put.weight = in_.varint32();
    put.reserved = in_.varint32();
    if (put.name.empty()) in_.fail("a lane without a name");
    if (put.weight == 0) in_.fail("a lane without a weight");
    return put;
  }

  Record operation() {
    record::Operation operation;
    operation.name = name();
    operation.at = moment(context_.at);
    operation.count = in_.varint();
    operation.firing = in_.varint();
    return operation;
  }

  Record target_hold() {
    record::TargetHold hold;
    hold.key = hash();
    const std::uint8_t reason = in_.u8();
    const auto last =
        static_cast<int>(version_ < 5 ? HoldReason::unavailable : HoldReason::failing);
    if (reason > last) in_.fail("an unknown reason for a hold");
    hold.reason = in_.ok() ? static_cast<HoldReason>(reason) : HoldReason{};
    hold.since = moment(context_.at);
    hold.until = moment(hold.since);
    hold.doublings = in_.varint32();
    return hold;
  }

  OperationName name() {
    OperationName name;
    name.key = hash();
    name.arguments = in_.fixed<8>();
    if (!name.given()) in_.fail("an operation without a name");
    return name;
  }

  template <typename T>
  T task() {
    T record;
    record.task = fingerprint();
    record.number = in_.varint();
    return record;
  }

  Fingerprint fingerprint() {
    Fingerprint task;
    task.low = in_.fixed<8>();
    task.high = static_cast<std::uint16_t>(in_.fixed<2>());
    return task;
  }
  Hash128 hash() { return in_.hash(); }
  WallTime moment(WallTime base) {
    return WallTime(Millis(wrapping_sum(in_.zigzag(), count_of(base))));
  }
  State state(int byte) {
    if (byte >= kStates) in_.fail("an unknown state");
    return in_.ok() ? static_cast<State>(byte) : State::scheduled;
  }

  bool truth() {
    const std::uint8_t byte = in_.u8();
    if (byte > 1) in_.fail("a truth value that is neither 0 nor 1");
    return byte == 1;
  }

  MergeRule merge() {
    MergeRule rule;
    rule.part = in_.fixed<8>();
    rule.within = Millis(in_.zigzag());
    if (rule.part >> MergeRule::kPartBits != 0) in_.fail("a part of more than 58 bits");
    if (!rule.given() || rule.within > MergeRule::kWithinMax) in_.fail("a merge within no time");
    return rule;
  }

  LaneNumber lane() {
    const std::uint8_t number = in_.u8();
    if (number >= kLanesMax) in_.fail("a lane beyond the last");
    return in_.ok() ? number : kDefaultLane;
  }

  std::uint32_t flags() {
    const std::uint32_t flags = in_.varint32();
    if ((flags & ~known_flags(version_)) != 0) in_.fail("an unknown flag");
    if ((flags & kGroup) != 0 && (flags & kGroupRepeats) != 0) in_.fail("a group given twice");
    return flags;
  }

  /// Reads a statement into `task`; returns the number that it replaces.
  TaskNumber statement(Statement& task) {
    const std::uint32_t flags = this->flags();
    task.task = fingerprint();
    task.number = (flags & kOwnNumber) != 0 ? context_.sequence : in_.varint();
    if (version_ == 1) in_.fixed<kDigestBytes>();
    task.due = moment(context_.at);
    task.asked_due = task.due;
    task.target = (flags & kTargetRepeats) != 0 ? context_.target : hash();
    task.target_is_url = (flags & kTargetIsUrl) != 0;
    if ((flags & kGroup) != 0) task.group = hash();
    if ((flags & kGroupRepeats) != 0) task.group = context_.group;
    if ((flags & kExpireAfter) != 0) task.expire_after = Millis(in_.zigzag());
    if ((flags & kAttempt) != 0) task.attempt = in_.varint32();
    const TaskNumber previous = (flags & kPrevious) != 0 ? in_.varint() : 0;
    if ((flags & kAskedDue) != 0) task.asked_due = moment(task.due);
    if ((flags & kState) != 0) task.state = state(in_.u8());
    if ((flags & kFinishedAt) != 0) task.finished_at = moment(context_.at);
    if ((flags & kRedrivenAt) != 0) task.redriven_at = moment(context_.at);
    task.retries_cancelled = (flags & kRetriesCancelled) != 0;
    if ((flags & kLane) != 0) task.lane = lane();
    task.dies_late = (flags & kDiesLate) != 0;
    if ((flags & kDeliveringPush) != 0) task.push = delivering_push();
    if ((flags & kMerge) != 0) task.merge = merge();
    refuse_longer_form(flags, task, previous);
    context_.after(task);
    return previous;
  }

  /// A field that was written out although its flag could have said it.
  void refuse_longer_form(std::uint32_t flags, const Statement& task, TaskNumber previous) {
    const auto given = [flags](Flag flag) { return (flags & flag) != 0; };
    const bool longer = (!given(kOwnNumber) && task.number == context_.sequence) ||
                        (!given(kTargetRepeats) && task.target == context_.target) ||
                        (given(kGroup) && task.group == context_.group) ||
                        (given(kGroup) && task.group == GroupKey{}) ||
                        (given(kGroupRepeats) && task.group == GroupKey{}) ||
                        (given(kAttempt) && task.attempt == 0) ||
                        (given(kPrevious) && previous == 0) ||
                        (given(kAskedDue) && task.asked_due == task.due) ||
                        (given(kState) && task.state == State::scheduled) ||
                        (given(kFinishedAt) && task.finished_at == WallTime{}) ||
                        (given(kRedrivenAt) && task.redriven_at == WallTime{}) ||
                        (given(kLane) && task.lane == kDefaultLane);
    if (longer) in_.fail("a field that says nothing");
  }

  ByteReader& in_;
  Context context_;
  const std::uint8_t version_;
};

}  // namespace

Result<Batch> decode_batch(std::string_view row) {
  Batch batch;
  if (auto decoded = decode_batch(row, batch); !decoded) return decoded.error();
  return batch;
}

Result<> decode_batch(std::string_view row, Batch& batch) {
  constexpr std::string_view what = "a batch of the log";
  const auto body = open_row(row, kBatchVersion, what);
  if (!body) return body.error();
  ByteReader in(*body);
  const std::uint8_t version = in.u8();
  batch.first = in.varint();
  const std::uint64_t count = in.varint();
  batch.at = WallTime(Millis(in.zigzag()));
  if (batch.first == 0 || count == 0) in.fail("a batch of nothing");
  if (count > in.remaining() / kRecordBytesMin) in.fail("more records than the row has room for");
  if (batch.first + count < batch.first) in.fail("a sequence beyond 64 bits");
  if (!in.ok()) return in.error(what);
  batch.records.clear();
  batch.records.reserve(count);
  Decoder decoder(in, batch, version);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    decoder.record(batch.records.emplace_back());
  }
  in.expect_end();
  if (!in.ok()) return in.error(what);
  return {};
}

}  // namespace carillon
