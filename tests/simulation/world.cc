#include "tests/simulation/world.h"

#include <cstdio>

#include "base/check.h"

namespace carillon::simulation {

constexpr std::uint64_t kEventsAtOnceMax = 100'000;
constexpr Moment kRecent = 400 * kMillisecond;  // longer than two commits take

void World::run_until(Moment moment) {
  while (!events_.empty() && events_.top().moment <= moment) {
    // The queue gives out constants only; the event is gone from it at once.
    Event event = std::move(const_cast<Event&>(events_.top()));
    events_.pop();
    // Work that makes itself work without time going by would never end.
    at_this_moment_ = event.moment == now_ ? at_this_moment_ + 1 : 0;
    CARILLON_CHECK(at_this_moment_ < kEventsAtOnceMax);
    now_ = event.moment;
    event.happen();
  }
  now_ = moment;
}

void World::step_clock(Millis by) {
  before_step_min_ = recent_wall_min();
  before_step_ = recent_wall();
  stepped_at_ = now_;
  if (by < Millis(0)) set_back_at_ = now_;
  latest_wall_ = latest_wall();
  offset_ += by;
}

WallTime World::recent_wall() const {
  return now_ - stepped_at_ < kRecent ? std::max(before_step_, wall()) : wall();
}

bool World::was_set_back_since(Moment moment) const {
  return set_back_at_ && *set_back_at_ > moment - kRecent;
}

WallTime World::recent_wall_min() const {
  const WallTime began = wall() - Millis(kRecent / kMillisecond);
  return now_ - stepped_at_ < kRecent ? std::min(before_step_min_, began) : began;
}

void World::begin_line() {
  char moment[32];
  std::snprintf(moment, sizeof(moment), "%9.3f  ", static_cast<double>(now_) / 1000.0);
  line_ = moment;
}

void World::end_line() {
  line_ += '\n';
  ++lines_;
  for (const char byte : line_) {  // FNV-1a
    hash_ = (hash_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  if (keep_trace_) text_ += line_;
}

}  // namespace carillon::simulation
