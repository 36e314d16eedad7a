// Targets: made, changed and deleted, and the holds on them.

#include <utility>

#include "shard/shard.h"

namespace carillon {

bool Shard::decide(command::TargetPut& put, Ticket ticket) {
  if (targets_.find(put.key) == kTargetsMax && targets_.size() >= kTargetsAdmitted) {
    reply(ticket, Verdict::too_many_targets);
    return true;
  }
  const TargetState* const before = target(put.key);
  put.paused_for = before == nullptr ? Millis(0) : before->settings.paused_for;
  put.paused_since = put.paused ? now_ : WallTime{};
  if (before != nullptr && before->settings.paused) {
    if (put.paused) {
      put.paused_since = before->settings.paused_since;
    } else {
      put.paused_for = before->paused_for(now_);
    }
  }
  open_.append(std::move(put), ticket);
  return true;
}

bool Shard::decide(command::TargetDelete& removal, Ticket ticket) {
  const std::uint32_t index = targets_.find(removal.key);
  if (index == kTargetsMax || targets_[index].deleted || targets_[index].is_url) {
    reply(ticket, Verdict::not_found);
    return true;
  }
  if (targets_[index].unfinished > 0 && !removal.force) {
    reply(ticket, Verdict::target_in_use);
    if (ticket != 0) effects_.replies.back().count = targets_[index].unfinished;
    return true;
  }
  // At once, so that no task that names it is added behind the record.
  targets_.mark_deleted(index);
  open_.append(record::TargetDelete{removal.key}, ticket);
  return true;
}

bool Shard::decide(command::TargetRelease& release, Ticket ticket) {
  const std::uint32_t index = targets_.find(release.key);
  if (index == kTargetsMax || !targets_[index].hold.active()) {
    reply(ticket, Verdict::not_found);
    return true;
  }
  targets_.release_hold(index);
  effects_.holds.push_back(release.key);
  open_.append(release, ticket);
  return true;
}

bool Shard::decide(command::TargetHold& hold, Ticket ticket) {
  const std::uint32_t index = targets_.find(hold.key);
  const bool stands = index != kTargetsMax && !targets_[index].deleted && !targets_[index].is_url;
  if (!stands || !targets_.adopt_hold(index, hold)) {
    reply(ticket, Verdict::kept);
    return true;
  }
  open_.append(targets_[index].hold.record(hold.key), ticket);
  return true;
}

void Shard::apply(const record::TargetPut& put, Sequence, WallTime, Ticket ticket) {
  reply(ticket, targets_.put(put) ? Verdict::replaced : Verdict::done);
  effects_.targets.push_back(put.key);
}

void Shard::apply(const record::TargetDelete& removal, Sequence, WallTime, Ticket ticket) {
  targets_.remove(removal.key);
  reply(ticket, Verdict::done);
  effects_.targets.push_back(removal.key);
}

// A hold counts from its decision on, so live there is nothing left to do here.
void Shard::apply(const record::TargetHold& hold, Sequence, WallTime at, Ticket ticket) {
  reply(ticket, Verdict::done);
  if (started_) return;
  // Once the log is cleaned it may be restated only further on.
  targets_.restore_hold(hold, at);
}

void Shard::apply(const record::TargetRelease& release, Sequence, WallTime, Ticket ticket) {
  reply(ticket, Verdict::done);
  if (started_) return;
  const std::uint32_t index = targets_.find(release.key);
  if (index != kTargetsMax) targets_.release_hold(index);
}

}  // namespace carillon
