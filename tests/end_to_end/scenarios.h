// The two jobs that Carillon is for, as plans that a test carries out.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/end_to_end/carillond.h"
#include "tests/end_to_end/subscribers.h"
#include "tools/load/receiver.h"

namespace carillon::test {

/// One coupon: every user subscribes, a tenth cancels, a quarter of these subscribes again, and all
/// are due at one instant.
struct Coupon {
  Coupon(std::size_t users, WallTime due, const std::string& name = "coupon1");
  Subscribers people{"receiver"};
  std::vector<Subscribers::Index> subscribing, cancelling, again;
  /// Users less those that cancelled and did not come back.
  [[nodiscard]] std::size_t reminded() const;
};

/// Time-outs: each task is cancelled at a random moment before it is due, but for a tenth of them.
struct TimeOuts {
  /// Delays from `start` are spread evenly over their order of magnitude, from `delay_min` to
  /// `delay_max`, so that each level of a timing wheel has its share.
  TimeOuts(std::size_t count, WallTime start, Millis delay_min, Millis delay_max,
           std::uint64_t seed);
  Subscribers people{"receiver"};
  std::vector<Subscribers::Index> all;
  struct Cancel {
    WallTime at{};
    Subscribers::Index task = 0;
  };
  std::vector<Cancel> cancels;  // in order of time
  [[nodiscard]] std::size_t left() const { return all.size() - cancels.size(); }
};

/// A receiver that keeps its arrivals; a test failure where it cannot listen.
[[nodiscard]] std::unique_ptr<load::Receiver> start_receiver(Millis answer_delay = Millis(0));
/// Makes the target "receiver" that the scenarios' tasks name.
void put_target(const Carillond& server, const load::Receiver& receiver, int concurrency,
                std::string_view more_settings = {});
/// Waits until no task waits or is under way; a test failure if that takes longer than `patience`.
void wait_until_idle(const Carillond& server,
                     std::chrono::seconds patience = std::chrono::seconds(120));
/// A number out of /v1/stats.
[[nodiscard]] std::int64_t stat(const Carillond& server, std::string_view pointer);

/// The machine's wall clock.
[[nodiscard]] WallTime wall_millis();
/// One line of figures for a person who reads the test's output, also when it passes.
void report(std::string_view run, const load::ReceiverSummary& summary);

}  // namespace carillon::test
