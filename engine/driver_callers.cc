// Of ShardDriver: who waits, for which replies, and what they are told.
#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "engine/driver.h"

namespace carillon {
namespace {

/// A ticket names a caller and one of its replies.
constexpr int kTicketBits = 20;
constexpr Ticket kTicketMask = (Ticket{1} << kTicketBits) - 1;

}  // namespace

Error moved() {
  return {"moved", "Nothing was done; the shard has another owner. Send it again.", ""};
}

Error log_away() {
  return {"log_away",
          "Nothing was done; the shard's log has not answered for five seconds. Send it again.",
          ""};
}

/// For so many replies more. False: they are there, as commands are not taken.
bool ShardDriver::begin_waiting(Caller& caller, std::size_t replies) {
  const std::size_t first = caller.submitted_;
  caller.submitted_ += replies;
  CARILLON_CHECK(replies > 0 && caller.submitted_ <= kTicketMask);
  // Until the shard says otherwise.
  const std::optional<Verdict> refused = this->refused();
  for (std::size_t i = first; i < caller.submitted_; ++i)
    caller.replies_[i].verdict = refused.value_or(Verdict::moved);
  if (refused) return false;
  if (!caller.waits()) add_caller(caller);
  callers_[caller.index_].missing += replies;
  return true;
}

std::optional<Verdict> ShardDriver::refused() const {
  if (is_idle() || phase_ == Phase::handing_over) return Verdict::moved;
  return is_away() ? std::optional(Verdict::log_away) : std::nullopt;
}

bool ShardDriver::is_away() const {
  return options_.shared_log && committing_ && clock_.mono() - commit_began_ >= kAwayAfter;
}

void ShardDriver::confirm(Caller& caller) {
  CARILLON_CHECK(options_.shared_log);
  if (!begin_waiting(caller, 1)) return;
  put_off_.emplace_back().ticket = ticket_of(caller, caller.submitted_ - 1);
  carry_out();
}

Ticket ShardDriver::ticket_of(const Caller& caller, std::size_t reply) {
  return ((caller.index_ + 1) << kTicketBits) + reply;
}

void ShardDriver::add_caller(Caller& caller) {
  if (free_callers_.empty()) {
    caller.index_ = callers_.size();
    callers_.emplace_back();
  } else {
    caller.index_ = free_callers_.back();
    free_callers_.pop_back();
  }
  callers_[caller.index_].caller = &caller;
  caller.waits_ = true;
}

void ShardDriver::reply(Reply& reply) {
  const std::size_t index = (reply.ticket >> kTicketBits) - 1;
  Waiting& waiting = callers_[index];
  Caller* const caller = waiting.caller;
  if (caller != nullptr) caller->replies_[reply.ticket & kTicketMask] = std::move(reply);
  if (--waiting.missing > 0) return;
  waiting.caller = nullptr;
  free_callers_.push_back(index);
  if (caller == nullptr) return;
  caller->waits_ = false;
  caller->answered();
}

/// They answer no record.
void ShardDriver::put_off(std::vector<Reply> replies) {
  std::ranges::move(replies, std::back_inserter(put_off_));
}

/// Of what a commit that is over has brought: the replies to its records stay, the others wait for
/// the next one. Those that waited for this one come.
void ShardDriver::sort_out(std::vector<Reply>& replies) {
  // The former come first, in the order of their records.
  const std::span<const Ticket> sealed = shard_.sealed_tickets();
  auto record = sealed.begin();
  const auto answers_no_record = [&](const Reply& reply) {
    record = std::find(record, sealed.end(), reply.ticket);
    return record == sealed.end();
  };
  const auto others = std::ranges::find_if(replies, answers_no_record);
  std::move(others, replies.end(), std::back_inserter(put_off_));
  replies.erase(others, replies.end());
  std::ranges::move(confirming_, std::back_inserter(replies));
  confirming_.clear();
}

void ShardDriver::lose_shard() {
  committing_ = false;
  phase_ = Phase::fenced;
  for (const Ticket ticket : shard_.sealed_tickets()) tell(ticket, Verdict::outcome_unknown);
  for (const Ticket ticket : shard_.half_done_tickets()) tell(ticket, Verdict::outcome_unknown);
  const std::weak_ptr alive(alive_);
  tell_all();
  if (!alive.expired()) consumer_.fenced();
}

/// Answers those who wait for the log, before it has taken what they wait for.
void ShardDriver::give_up_waiting() {
  if (std::exchange(gave_up_, true)) return;
  for (const Waiting& waiting : callers_) {
    if (waiting.caller == nullptr) continue;
    for (std::size_t i = 0; i < waiting.caller->submitted_; ++i) {
      Verdict& verdict = waiting.caller->replies_[i].verdict;
      if (verdict == Verdict::moved) verdict = Verdict::outcome_unknown;  // its reply is missing
    }
  }
  for (std::vector<Reply>* const replies : {&put_off_, &confirming_}) {
    for (const Reply& reply : *replies) {
      tell(reply.ticket, Verdict::log_away);
      const std::size_t index = (reply.ticket >> kTicketBits) - 1;
      Waiting& waiting = callers_[index];
      if (--waiting.missing == 0 && waiting.caller == nullptr) free_callers_.push_back(index);
    }
    replies->clear();
  }
  tell_all();
}

void ShardDriver::tell(Ticket ticket, Verdict verdict) {
  if (ticket == 0) return;
  Caller* const caller = callers_[(ticket >> kTicketBits) - 1].caller;
  if (caller != nullptr) caller->replies_[ticket & kTicketMask].verdict = verdict;
}

/// Whoever is told may take others with him, or the driver.
void ShardDriver::tell_all() {
  const std::weak_ptr alive(alive_);
  for (std::size_t i = 0; !alive.expired() && i < callers_.size(); ++i) {
    Caller* const caller = std::exchange(callers_[i].caller, nullptr);
    if (caller == nullptr) continue;
    if (callers_[i].missing == 0) free_callers_.push_back(i);
    caller->waits_ = false;
    caller->answered();
  }
}

}  // namespace carillon
