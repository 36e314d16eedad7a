// What the wheel is measured against: the structures that programs keep their timers in.
//
// Each holds tasks, an id and a due, and has the same four calls: `schedule` gives a handle,
// `cancel` takes it, `fire_until` hands over what is due by then in due order, at virtual time.
// Those whose name begins with a structure alone leave the handle with their caller; `ById` keeps
// it in a hash map beside the structure, as a server must that is told "cancel order-17".
//
// Concurrency: none.
#pragma once

#include <memory>
#include <queue>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>

#include "wheel/task_index.h"
#include "wheel/wheel.h"

namespace carillon::bench {

using Id = std::uint64_t;

/// Where the time of all of them begins.
inline constexpr WallTime kStart{std::chrono::hours(24 * 365 * 50)};

class WheelOnly {
 public:
  using Handle = EntryRef;
  Handle schedule(Id id, WallTime due) {
    const EntryRef ref = arena_.allocate();
    arena_[ref].id = id;
    arena_[ref].set_due(due);
    wheel_.insert(ref);
    return ref;
  }
  void cancel(Handle& ref) {
    wheel_.remove(ref);
    arena_.free(ref);
  }
  template <typename Fired>
  void fire_until(WallTime end, const Fired& fired) {
    fire_entries(end, [&](EntryRef ref) { fired(arena_[ref].id, arena_[ref].due()); });
  }

 private:
  friend class WheelById;
  static constexpr std::uint32_t kNoLimit = 0xffff'ffff;
  template <typename Visit>
  void fire_entries(WallTime end, const Visit& visit) {
    for (auto wakeup = wheel_.next_wakeup(); wakeup && *wakeup <= end;
         wakeup = wheel_.next_wakeup()) {
      while (!wheel_.advance(*wakeup, kNoLimit)) {
      }
      wheel_.prepare(kNoLimit, nullptr);
      for (EntryRef ref = wheel_.pop_due(); ref != kNoEntry; ref = wheel_.pop_due()) {
        visit(ref);
        arena_.free(ref);
      }
    }
  }
  Arena arena_;
  Lists lists_{arena_, Wheel::kListCount};
  Wheel wheel_{arena_, lists_, kStart};
};

/// As a shard has them: the index runs through the same entries.
class WheelById {
 public:
  using Handle = Id;
  Handle schedule(Id id, WallTime due) {
    index_.insert(wheel_.schedule(id, due), {id, 0});
    return id;
  }
  void cancel(Handle& id) {
    EntryRef ref = index_.find({id, 0});
    index_.erase(ref);
    wheel_.cancel(ref);
  }
  template <typename Fired>
  void fire_until(WallTime end, const Fired& fired) {
    wheel_.fire_entries(end, [&](EntryRef ref) {
      const Id id = index_.id(ref).low;
      const WallTime due = wheel_.arena_[ref].due();
      index_.erase(ref);
      fired(id, due);
    });
  }

 private:
  WheelOnly wheel_;
  TaskIndex index_{wheel_.arena_};
};

class Set {
 public:
  using Handle = std::set<std::pair<WallTime, Id>>::iterator;
  Handle schedule(Id id, WallTime due) { return tasks_.emplace(due, id).first; }
  void cancel(Handle& handle) { tasks_.erase(handle); }
  template <typename Fired>
  void fire_until(WallTime end, const Fired& fired) {
    while (!tasks_.empty() && tasks_.begin()->first <= end) {
      fired(tasks_.begin()->second, tasks_.begin()->first);
      tasks_.erase(tasks_.begin());
    }
  }

 private:
  std::set<std::pair<WallTime, Id>> tasks_;
};

/// A heap cannot find a task: a cancelled one is struck off the map and stays in the heap until it
/// comes to the top.
class HeapById {
 public:
  using Handle = Id;
  Handle schedule(Id id, WallTime due) {
    live_.emplace(id, due);
    heap_.emplace(due, id);
    return id;
  }
  void cancel(Handle& id) { live_.erase(id); }
  template <typename Fired>
  void fire_until(WallTime end, const Fired& fired) {
    for (; !heap_.empty() && heap_.top().first <= end; heap_.pop()) {
      const auto [due, id] = heap_.top();
      const auto live = live_.find(id);
      if (live == live_.end() || live->second != due) continue;
      live_.erase(live);
      fired(id, due);
    }
  }

 private:
  using Item = std::pair<WallTime, Id>;
  std::priority_queue<Item, std::vector<Item>, std::greater<>> heap_;
  std::unordered_map<Id, WallTime> live_;
};

/// The clock of the Asio timers, which stands where `fire_until` sets it.
struct VirtualClock {
  using duration = Millis;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<VirtualClock>;
  static constexpr bool is_steady = false;
  static inline time_point at{kStart.time_since_epoch()};
  static time_point now() { return at; }
};
/// To the loop every timer is due at once, so that it looks at its timers at each turn.
struct VirtualWait {
  static Millis to_wait_duration(Millis) { return Millis(0); }
  static Millis to_wait_duration(VirtualClock::time_point) { return Millis(0); }
};

/// One waitable timer each in an io_context, as a program on Asio has them. Virtual time goes in
/// kTurns steps, so that a turn of the loop (a system call) is shared by many tasks.
class AsioTimers {
 public:
  using Timer = boost::asio::basic_waitable_timer<VirtualClock, VirtualWait>;
  using Handle = std::unique_ptr<Timer>;
  AsioTimers() { VirtualClock::at = VirtualClock::time_point(kStart.time_since_epoch()); }
  Handle schedule(Id id, WallTime due) {
    auto timer = std::make_unique<Timer>(loop_, VirtualClock::time_point(due.time_since_epoch()));
    timer->async_wait([this, id, due](const boost::system::error_code& cancelled) {
      if (!cancelled) due_.emplace_back(id, due);
    });
    return timer;
  }
  void cancel(Handle& timer) {
    timer.reset();
    if (++cancelled_ % kCancelsPerTurn == 0) turn();  // their handlers are told of it
  }
  template <typename Fired>
  void fire_until(WallTime end, const Fired& fired) {
    const auto last = VirtualClock::time_point(end.time_since_epoch());
    const Millis step = (last - VirtualClock::at) / kTurns + Millis(1);
    while (VirtualClock::at < last) {
      VirtualClock::at = std::min(VirtualClock::at + step, last);
      turn();
      for (const auto& [id, due] : due_) fired(id, due);
      due_.clear();
    }
  }

 private:
  static constexpr int kTurns = 16;
  static constexpr std::uint64_t kCancelsPerTurn = 1000;
  void turn() {
    loop_.restart();
    loop_.poll();
  }
  boost::asio::io_context loop_{1};
  std::vector<std::pair<Id, WallTime>> due_;
  std::uint64_t cancelled_ = 0;
};

template <typename Structure>
class ById {
 public:
  using Handle = Id;
  Handle schedule(Id id, WallTime due) {
    handles_.emplace(id, structure_.schedule(id, due));
    return id;
  }
  void cancel(Handle& id) {
    const auto found = handles_.find(id);
    structure_.cancel(found->second);
    handles_.erase(found);
  }
  template <typename Fired>
  void fire_until(WallTime end, const Fired& fired) {
    structure_.fire_until(end, [&](Id id, WallTime due) {
      handles_.erase(id);
      fired(id, due);
    });
  }

 private:
  Structure structure_;
  std::unordered_map<Id, typename Structure::Handle> handles_;
};

}  // namespace carillon::bench
