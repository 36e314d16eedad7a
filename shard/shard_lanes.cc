// Changes of lanes: one at a time is under way.

#include <utility>

#include "shard/shard.h"

namespace carillon {

bool Shard::decide(command::LanePut& put, Ticket ticket) {
  if (lane_changes_) return false;
  const std::optional<LaneNumber> known = lanes().find(put.name);
  const std::optional<LaneNumber> number = known ? known : lanes().unused();
  if (!number) {
    reply(ticket, Verdict::too_many_lanes);
  } else if (lanes().reserved_beside(put.name) + put.reserved > kLanesReservedMax) {
    reply(ticket, Verdict::too_much_reserved);
  } else {
    lane_changes_ = true;
    open_.append(record::LanePut{*number, std::move(put.name), put.weight, put.reserved}, ticket);
  }
  return true;
}

bool Shard::decide(command::LaneDelete& removal, Ticket ticket) {
  if (lane_changes_) return false;
  const std::optional<LaneNumber> number = lanes().find(removal.name);
  if (!number) {
    reply(ticket, Verdict::not_found);
  } else if (*number == kDefaultLane || lanes()[*number].share.unfinished > 0) {
    reply(ticket, Verdict::lane_in_use);
    if (ticket != 0 && *number != kDefaultLane) {
      effects_.replies.back().count = lanes()[*number].share.unfinished;
    }
  } else {
    // At once, so that no task is added to it behind the record.
    targets_.mark_leaving(*number);
    lane_changes_ = true;
    open_.append(record::LaneDelete{*number}, ticket);
  }
  return true;
}

void Shard::apply(const record::LanePut& put, Sequence, WallTime, Ticket ticket) {
  lane_changes_ = false;
  reply(ticket, lanes()[put.number].stands() ? Verdict::replaced : Verdict::done);
  targets_.put(put);
}

void Shard::apply(const record::LaneDelete& removal, Sequence, WallTime, Ticket ticket) {
  lane_changes_ = false;
  targets_.remove(removal);
  reply(ticket, Verdict::done);
}

}  // namespace carillon
