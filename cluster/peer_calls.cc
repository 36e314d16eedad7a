#include "cluster/peer_calls.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "cluster/wire.h"
#include "engine/driver.h"
#include "engine/made_ids.h"

namespace carillon {
namespace {

constexpr std::size_t kExportsMax = 64;
constexpr std::chrono::minutes kExportPatience{1};

constexpr Millis kFarthest = std::chrono::days(365 * 200);  // from now, and from 1970
constexpr std::uint64_t kListedMax = 10'000;
constexpr std::int64_t kBucketsMax = 1'000'000;

bool is_near(Millis length) {
  return length >= -kFarthest && length <= kFarthest;
}
bool is_near(WallTime moment) {
  return is_near(moment.time_since_epoch());
}

/// Whether a node of the cluster may have sent this: what shards take for granted has been looked
/// at where the request came in, but not here.
bool is_sound(const NewTask& task) {
  return is_near(task.task.due) && task.task.due >= WallTime{} &&
         is_near(task.delay.value_or(Millis(0)));
}
template <typename Call>
bool is_sound(const Call& /*call*/) {
  return true;
}
bool is_sound(const shard_call::Add& call) {
  return is_sound(call.task);
}
bool is_sound(const shard_call::AddBatch& call) {
  return std::ranges::all_of(call.items, [](const NewTask& task) { return is_sound(task); });
}
bool is_sound(const shard_call::Change& call) {
  return is_near(call.request.delay.value_or(Millis(0))) &&
         is_near(call.request.due_at.value_or(WallTime{}));
}
bool is_sound(const shard_call::AskShift& call) {
  return is_near(call.by);
}
bool is_sound(const shard_call::CarryOutShift& call) {
  return is_near(call.by);
}
bool is_sound(const shard_call::List& call) {
  return call.limit > 0 && call.limit <= kListedMax;
}
bool is_sound(const shard_call::Forecast& call) {
  return is_near(call.from) && is_near(call.to) && call.from <= call.to &&
         call.bucket > Millis(0) && (call.to - call.from) / call.bucket <= kBucketsMax;
}

template <typename Told>
std::shared_ptr<const void> take_held(Answer<Told>& answer, std::size_t bytes) {
  if constexpr (std::is_same_v<Told, Page>) {
    if (!answer) return nullptr;
    auto held = std::make_shared<Allowance::Share>(std::move(answer->held));
    held->resize(bytes);
    return held;
  } else {
    return nullptr;
  }
}

}  // namespace

PeerCalls::PeerCalls(Clock& clock, const ShardMap& map, PeerSeal seal)
    : clock_(clock), map_(map), seal_(std::move(seal)), random_(make_random()) {}

Async<Answer<PeerCalls::Written>> PeerCalls::answer(std::string_view authorization,
                                                    std::string_view body) {
  if (const Result<> known = seal_.check(authorization, clock_.real(), body); !known)
    co_return Refusal(known.error());
  Result<DecodedCall> decoded = decode_call(body);
  if (!decoded) co_return Refusal(std::move(decoded).error());
  const ShardNumber number = decoded->shard;
  std::shared_ptr<TaskService> shard = number < map_.shards() ? map_.local(number) : nullptr;
  if (!shard) co_return Refusal(moved());
  co_return co_await std::visit(
      [&](auto& call) { return carry_out(std::move(shard), std::move(call)); }, decoded->call);
}

template <typename Call>
Async<Answer<PeerCalls::Written>> PeerCalls::carry_out(std::shared_ptr<TaskService> shard,
                                                       Call call) {
  if (!is_sound(call))
    co_return Refusal(Error{"bad_request", "The call has values that no node sends.", ""});
  if constexpr (std::is_same_v<Call, shard_call::Add>) stamp(call.task);
  if constexpr (std::is_same_v<Call, shard_call::AddBatch>) {
    for (NewTask& task : call.items) stamp(task);
  }
  Answer<typename Call::Told> told = Refusal();
  if constexpr (std::is_same_v<Call, shard_call::ExportSome>) {
    told = co_await go_on(std::move(shard), call);
  } else {
    told = co_await call.on(*shard);
  }
  Written written;
  written.bytes = encode_answer(told);
  written.held = take_held(told, written.bytes.size());
  co_return written;
}

/// A delay counts from now, rounded up, so that what it ends at is never early. Whether that is
/// within the horizon was looked at where it was asked for.
void PeerCalls::stamp(NewTask& task) const {
  if (task.delay) task.task.due = std::chrono::ceil<Millis>(clock_.wall_micros()) + *task.delay;
}

void PeerCalls::close() {
  std::map<std::uint64_t, Exporting> all;  // closed when the lock is given up
  const std::lock_guard lock(mutex_);
  all.swap(exports_);
}

/// What is left over is closed here, too.
Answer<PeerCalls::Exporting> PeerCalls::take_export(std::shared_ptr<TaskService> shard,
                                                    std::uint64_t number) {
  const MonoTime now = std::chrono::steady_clock::now();
  std::map<std::uint64_t, Exporting> old;  // closed when the lock is given up
  const std::lock_guard lock(mutex_);
  for (auto next = exports_.begin(); next != exports_.end();) {
    const auto its = next++;
    if (now - its->second.asked_at > kExportPatience) old.insert(exports_.extract(its));
  }
  if (number == 0) {
    if (exports_.size() >= kExportsMax)
      return Refusal(Error{"overloaded", "Too many exports are under way; retry later.", ""});
    Exporting fresh;
    fresh.its = shard->export_pending();
    fresh.shard = std::move(shard);
    return fresh;
  }
  const auto found = exports_.find(number);
  // An export of another owner cannot be gone on with: it would have to begin anew.
  if (found == exports_.end() || found->second.shard != shard)
    return Refusal(Error{"outcome_unknown", "The shard has got another owner meanwhile.", ""});
  Exporting taken = std::move(found->second);
  exports_.erase(found);
  return taken;
}

Async<Answer<shard_call::ExportTold>> PeerCalls::go_on(std::shared_ptr<TaskService> shard,
                                                       shard_call::ExportSome call) {
  Answer<Exporting> exporting = take_export(std::move(shard), call.number);
  if (!exporting) co_return std::move(exporting).error();
  Answer<std::vector<TaskView>> some = co_await exporting->its->next();
  if (!some) co_return std::move(some).error();
  shard_call::ExportTold told;
  told.tasks = *std::move(some);
  if (told.tasks.empty()) co_return told;
  exporting->asked_at = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  while (told.number == 0) told.number = call.number != 0 ? call.number : random_();
  exports_.insert_or_assign(told.number, *std::move(exporting));
  co_return told;
}

}  // namespace carillon
