#include "storage/record_codec.h"

#include "base/check.h"
#include "storage/bytes.h"

namespace carillon {

namespace {

/// The byte that opens a record. Numbers are for ever; a new kind gets a new one.
enum class Kind : std::uint8_t {
  put = 1,
  keep = 2,
  move = 3,
  cancel = 4,
  fire = 5,
  outcome = 6,
  remove = 7,
  group_cancel = 8,
  group_shift = 9,
  target_put = 10,
  target_delete = 11,
  // Since version 3.
  cancel_retries = 12,
  named_group_cancel = 13,
  named_group_shift = 14,
  operation = 15,
  target_hold = 16,
  target_release = 17,
};
constexpr auto kLastKindOfVersion2 = Kind::target_delete;

/// What a statement has beyond its fixed part. The seven that ordinary tasks have come first, so
/// that their flags are one byte.
enum Flag : std::uint32_t {
  kOwnNumber = 1 << 0,      // its number is this record's sequence
  kTargetRepeats = 1 << 1,  // the target of the statement before it in the row
  kTargetIsUrl = 1 << 2,
  kGroup = 1 << 3,
  kGroupRepeats = 1 << 4,  // the group of the last statement in the row that had one
  kExpireAfter = 1 << 5,
  kAttempt = 1 << 6,
  kPrevious = 1 << 7,
  kAskedDue = 1 << 8,  // differs from due
  kState = 1 << 9,     // is not scheduled
  kFinishedAt = 1 << 10,
  kFlagsOfVersion2 = (1 << 11) - 1,
  // Since version 3.
  kRedrivenAt = 1 << 11,
  kRetriesCancelled = 1 << 12,
  kAllFlags = (1 << 13) - 1,
};

/// Before the due of a statement of version 1; it says nothing that is needed.
constexpr int kDigestBytes = 6;
constexpr int kFingerprintBytes = 10;
/// The shortest record: its kind, a fingerprint and a number of one byte.
constexpr std::size_t kRecordBytesMin = 1 + kFingerprintBytes + 1;
/// In the byte that is an outcome's state.
constexpr std::uint8_t kHasRetryAt = 0x80;

/// `a` - `b` and `a` + `b` of any two values: what the codec is given may be nonsense, but must
/// come back the same.
std::int64_t wrapping_difference(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
std::int64_t wrapping_sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t count_of(WallTime moment) {
  return moment.time_since_epoch().count();
}

/// What a record's encoding depends on: where it stands in its row, and what stood before it.
struct Context {
  WallTime at{};
  Sequence sequence = 0;
  Hash128 target;  // all zero: none yet
  Hash128 group;

  void after(const Statement& task) {
    target = task.target;
    if (task.group != GroupKey{}) group = task.group;
  }
};

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
    out_.u8(retry ? state | kHasRetryAt : state);
    if (retry) moment(outcome.retry_at, context_.at);
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
    kind(Kind::target_put);
    hash(target.key);
    out_.text(target.name);
    out_.varint(target.concurrency);
    out_.u8(target.paused ? 1 : 0);
    out_.text(target.settings);
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

  void kind(Kind kind) { out_.u8(static_cast<std::uint8_t>(kind)); }
  void fingerprint(const Fingerprint& task) {
    out_.fixed<8>(task.low);
    out_.fixed<2>(task.high);
  }
  void hash(const Hash128& hash) {
    out_.fixed<8>(hash.low);
    out_.fixed<8>(hash.high);
  }
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
    context_.after(task);
  }

  ByteWriter out_;
  Context context_;
};

class Decoder {
 public:
  Decoder(ByteReader& in, const Batch& batch, std::uint8_t version) : in_(in), version_(version) {
    context_.at = batch.at;
    context_.sequence = batch.first;
  }

  /// Into `record`, which is a Put of nothing: what most records are.
  void record(Record& record) {
    const auto kind = static_cast<Kind>(in_.u8());
    if (version_ < 3 && kind > kLastKindOfVersion2) in_.fail("a kind newer than the row");
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
      case Kind::target_put:
        return target_put();
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
    }
    in_.fail("an unknown kind of record");
    return {};
  }

  Record outcome() {
    auto outcome = task<record::Outcome>();
    const std::uint8_t byte = in_.u8();
    outcome.state = state(byte & ~kHasRetryAt);
    if ((byte & kHasRetryAt) != 0) {
      outcome.retry_at = moment(context_.at);
      if (outcome.retry_at == WallTime{}) in_.fail("a retry at no time");
    }
    return outcome;
  }

  Record target_put() {
    record::TargetPut target;
    target.key = hash();
    target.name = in_.text();
    target.concurrency = in_.varint32();
    const std::uint8_t paused = in_.u8();
    if (paused > 1) in_.fail("a truth value that is neither 0 nor 1");
    target.paused = paused == 1;
    target.settings = in_.text();
    return target;
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
    if (reason >= kHoldReasons) in_.fail("an unknown reason for a hold");
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
  Hash128 hash() {
    Hash128 hash;
    hash.low = in_.fixed<8>();
    hash.high = in_.fixed<8>();
    return hash;
  }
  WallTime moment(WallTime base) {
    return WallTime(Millis(wrapping_sum(in_.zigzag(), count_of(base))));
  }
  State state(int byte) {
    if (byte >= kStates) in_.fail("an unknown state");
    return in_.ok() ? static_cast<State>(byte) : State::scheduled;
  }

  std::uint32_t flags() {
    const std::uint32_t flags = in_.varint32();
    const std::uint32_t known = version_ < 3 ? kFlagsOfVersion2 : kAllFlags;
    if ((flags & ~known) != 0) in_.fail("an unknown flag");
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
                        (given(kRedrivenAt) && task.redriven_at == WallTime{});
    if (longer) in_.fail("a field that says nothing");
  }

  ByteReader& in_;
  Context context_;
  const std::uint8_t version_;
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

Result<Batch> decode_batch(std::string_view row) {
  Batch batch;
  if (auto decoded = decode_batch(row, batch); !decoded) return std::move(decoded.error());
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
