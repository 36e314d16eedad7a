#include "engine/batcher.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "delivery/batch.h"
#include "delivery/kind.h"
#include "engine/made_ids.h"

namespace carillon {
namespace {

/// A target that batches nothing may still have tasks merged.
BatchLimit limit_of(const BatchedTask& task) {
  BatchLimit limit = task.pushing.target->own->batch();
  if (limit.tasks_max == 0) limit.tasks_max = MergeRule::kTasksMax;
  return limit;
}

/// Whether the receiver refused the push, and not the moment or the target for good.
bool is_refused(const PushResult& whole) {
  constexpr std::uint32_t kErrors = 400;
  return whole.kind == PushResult::Kind::failed && !whole.not_now && whole.status >= kErrors;
}

}  // namespace

bool Batcher::is_full(const Slot& slot) {
  const BatchLimit limit = limit_of(slot.ready.front());
  return slot.ready.size() >= limit.tasks_max ||
         batch_bytes(slot.ready.size(), slot.ready_bytes) >= limit.bytes_max;
}

void Batcher::add(BatchedTask task) {
  const std::uint64_t key = key_of(task.pushing.fired);
  Slot& slot = slots_[key];
  --slot.to_come;
  slot.grew = true;
  slot.settled = false;
  slot.ready_bytes += task.text.size();
  slot.ready.push_back(std::move(task));
  if (slot.to_come == 0 || is_full(slot)) go_on(key);
}

void Batcher::miss(const Fired& task) {
  const std::uint64_t key = key_of(task);
  --slots_[key].to_come;
  go_on(key);
}

void Batcher::settle(bool all) {
  std::vector<std::uint64_t> keys;
  for (auto& [key, slot] : slots_) {
    if (!slot.ready.empty() && (all || !slot.grew)) {
      slot.settled = true;
      keys.push_back(key);
    }
    slot.grew = false;
  }
  for (const std::uint64_t key : keys) go_on(key);
}

void Batcher::go_on() {
  std::vector<std::uint64_t> keys;
  for (const auto& [key, slot] : slots_) keys.push_back(key);
  for (const std::uint64_t key : keys) go_on(key);
}

void Batcher::go_on(std::uint64_t key) {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return;
  Slot& slot = found->second;
  if (!slot.under_way.empty()) return;
  if (slot.ready.empty()) {
    if (slot.to_come == 0) slots_.erase(found);
    return;
  }
  if (slot.to_come > 0 && !slot.settled && !is_full(slot)) return;
  if (!its_.driver.is_fresh()) return its_.driver.refresh();
  send(key, slot);
}

std::uint32_t Batcher::company_of(const BatchedTask& task) const {
  const std::uint32_t most = limit_of(task).tasks_max;
  if (company_.empty()) return most;
  const auto found = company_.find(task.pushing.fired.number);
  return found == company_.end() ? most : std::min(found->second, most);
}

/// As many as go in one push with the first: those that may have as much company as it.
std::vector<BatchedTask> Batcher::take(Slot& slot) {
  const BatchLimit limit = limit_of(slot.ready.front());
  const std::uint32_t company = company_of(slot.ready.front());
  std::vector<BatchedTask> taken;
  std::vector<BatchedTask> left;
  std::size_t bytes = 0;
  for (BatchedTask& task : slot.ready) {
    const std::size_t with_it = batch_bytes(taken.size() + 1, bytes + task.text.size());
    const bool fits = taken.empty() || (taken.size() < company && with_it <= limit.bytes_max &&
                                        company_of(task) == company);
    bytes += fits ? task.text.size() : 0;
    (fits ? taken : left).push_back(std::move(task));
  }
  slot.ready = std::move(left);
  slot.ready_bytes -= bytes;
  return taken;
}

void Batcher::send(std::uint64_t key, Slot& slot) {
  std::vector<BatchedTask> expired;
  std::vector<std::string_view> texts;
  for (BatchedTask& task : take(slot)) {
    const bool begins = its_.taker.begins(task.pushing);
    (begins ? slot.under_way : expired).push_back(std::move(task));
  }
  const bool sends = !slot.under_way.empty();
  if (sends) {
    texts.reserve(slot.under_way.size());
    for (const BatchedTask& task : slot.under_way) texts.push_back(task.text);
    Push push =
        make_batch(slot.under_way.front().pushing.target, texts, make_webhook_id(its_.random));
    its_.sink.push(std::move(push), [this, alive = std::weak_ptr(alive_), key](PushResult whole) {
      if (!alive.expired()) ended(key, whole);
    });
  } else if (slot.ready.empty() && slot.to_come == 0) {
    slots_.erase(key);
  }
  // After one of them its number may be another push's.
  for (const BatchedTask& task : expired) its_.taker.expired(task.pushing);
  if (!sends) go_on(key);
}

void Batcher::ended(std::uint64_t key, const PushResult& whole) {
  const auto found = slots_.find(key);
  std::vector<BatchedTask> tasks = std::exchange(found->second.under_way, {});
  // What is to come may wait for the bytes of what is there.
  found->second.settled = true;
  // Before its tasks end: its number may be another push's then.
  if (found->second.ready.empty() && found->second.to_come == 0) slots_.erase(found);
  std::vector<std::string_view> ids;
  ids.reserve(tasks.size());
  for (const BatchedTask& task : tasks) ids.push_back(task.webhook_id);
  std::vector<PushResult> results = batch_results(reader_, whole, ids);
  const bool in_halves = tasks.size() > 1 && is_refused(whole);
  if (in_halves) {
    if (company_.size() + tasks.size() > kCompanyMax) company_.clear();
    const auto half = static_cast<std::uint32_t>((tasks.size() + 1) / 2);
    for (const BatchedTask& task : tasks) company_[task.pushing.fired.number] = half;
  }
  its_.taker.batch_ended(std::move(tasks), whole, std::move(results), in_halves);
  go_on(key);
}

}  // namespace carillon
