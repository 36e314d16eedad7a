// A simulated world: virtual time, events in their order, randomness from one seed, and a trace.
//
// Operation: everything that happens is an event at a moment; `run_until` carries events out in the
// order of their moments, and those of one moment in the order in which they were planned. The
// server's wall clock is virtual time plus an offset that can be stepped. Nothing reads a real
// clock or a random device, so one seed gives one run, byte for byte.
//
// The trace is one line for each thing that happened; its hash is always taken, its text only kept
// when somebody wants to read it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "base/time.h"

namespace carillon::simulation {

/// Virtual microseconds since the run began; never steps.
using Moment = std::int64_t;
inline constexpr Moment kMillisecond = 1000;
inline constexpr Moment kSecond = 1'000'000;

class World {
 public:
  World(std::uint64_t seed, bool keep_trace) : random_(seed), keep_trace_(keep_trace) {}

  [[nodiscard]] Moment now() const { return now_; }
  /// The server's clock, in the milliseconds that it has completed.
  [[nodiscard]] WallTime wall() const { return kBegin + offset_ + Millis(now_ / kMillisecond); }
  /// The furthest that the server's clock has ever been.
  [[nodiscard]] WallTime latest_wall() const { return std::max(latest_wall_, wall()); }
  void step_clock(Millis by);
  /// The furthest that it has been within the last moments: it may be set back between a decision
  /// and what follows from it a commit later.
  [[nodiscard]] WallTime recent_wall() const;
  /// Whether it was set back after `moment`, or shortly before.
  [[nodiscard]] bool was_set_back_since(Moment moment) const;
  /// The earliest that it has been within the last moments.
  [[nodiscard]] WallTime recent_wall_min() const;
  /// When the server's clock will show `wall`, if nobody steps it: not before now.
  [[nodiscard]] Moment moment_of(WallTime wall) const {
    return std::max(now_, (wall - kBegin - offset_).count() * kMillisecond);
  }

  void after(Moment pause, std::function<void()> happen) {
    events_.push({now_ + pause, ++planned_, std::move(happen)});
  }
  void run_until(Moment moment);

  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  [[nodiscard]] bool chance(std::uint32_t per_mille) { return below(1000) < per_mille; }
  /// Spread over magnitudes: as likely below 2^8 as between 2^8 and 2^16.
  [[nodiscard]] std::uint64_t magnitude(int bits) {
    return below(std::uint64_t{1} << below(static_cast<std::uint64_t>(bits) + 1));
  }
  /// `mean` on average, of a process without memory.
  [[nodiscard]] Moment pause(Moment mean) {
    return static_cast<Moment>(below(static_cast<std::uint64_t>(2 * mean) + 1));
  }
  template <typename T>
  [[nodiscard]] T& one_of(std::vector<T>& all) {
    return all[below(all.size())];
  }

  /// Adds a line to the trace: the moment, then the pieces, numbers and texts alike.
  template <typename... Pieces>
  void trace(const Pieces&... pieces) {
    begin_line();
    (append(pieces), ...);
    end_line();
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::uint64_t trace_hash() const { return hash_; }
  [[nodiscard]] std::uint64_t lines() const { return lines_; }

  [[nodiscard]] static std::int64_t since_begin(WallTime time) { return (time - kBegin).count(); }

 private:
  static constexpr WallTime kBegin{Millis(1'763'700'000'000)};
  struct Event {
    Moment moment = 0;
    std::uint64_t planned = 0;
    std::function<void()> happen;
    friend bool operator<(const Event& a, const Event& b) {
      return a.moment != b.moment ? a.moment > b.moment : a.planned > b.planned;
    }
  };

  void begin_line();
  void end_line();
  void append(std::string_view piece) { line_ += piece; }
  template <std::integral Number>
  void append(Number number) {
    line_ += std::to_string(number);
  }
  /// Dues are shown in milliseconds since the run began.
  void append(WallTime time) { line_ += std::to_string(since_begin(time)); }

  std::mt19937_64 random_;
  bool keep_trace_;
  Moment now_ = 0;
  Millis offset_{0};
  WallTime latest_wall_{};
  Moment stepped_at_ = 0;
  WallTime before_step_{};
  WallTime before_step_min_{};
  std::optional<Moment> set_back_at_;
  std::uint64_t planned_ = 0;
  std::uint64_t at_this_moment_ = 0;
  std::priority_queue<Event> events_;
  std::string line_, text_;
  std::uint64_t hash_ = 0xcbf29ce484222325;
  std::uint64_t lines_ = 0;
};

}  // namespace carillon::simulation
