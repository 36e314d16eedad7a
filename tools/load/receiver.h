// The receiver: takes Carillon's pushes as fast as they come and judges them.
//
// Operation: one thread, one epoll set. What arrives is parsed just enough (push_parser.h),
// answered with a constant, and recorded: how late it was, whether it was early (which must never
// be), and whether the same task had been accepted before. Answers can be held back for a fixed
// time (thousands at once) and can fail, by share or for the first attempts of each task. A push of
// several tasks (docs/batches.md) counts as so many, and its answer names those that fail.
//
// Concurrency: the public members may be called from any thread.
//
// Limitations: HTTP/1.1 with Content-Length, plain TCP. Records of arrivals, where kept, are held
// in memory: about 120 bytes each.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/histogram.h"
#include "base/result.h"
#include "base/time.h"
#include "tools/load/arrival.h"

namespace carillon::load {

struct ReceiverSummary {
  std::uint64_t pushes = 0;       // requests that were pushes
  std::uint64_t received = 0;     // pushed tasks, whatever they were answered
  std::uint64_t accepted = 0;     // answered 2xx
  std::uint64_t early = 0;        // arrived before they were due
  std::uint64_t duplicates = 0;   // came although an earlier push of the task had been accepted
  std::uint64_t bad = 0;          // requests that were no push, answered 400
  std::uint64_t connections = 0;  // accepted in all
  std::uint64_t number_sum = 0;   // of the numbers at the end of accepted tasks' ids
  WallMicros first{};             // arrivals; meaningful where received > 0
  WallMicros last{};
  Histogram lateness;  // arrival minus due, of first attempts
};

class Receiver {
 public:
  struct Options {
    std::string address = "127.0.0.1";  // an IPv4 address
    std::uint16_t port = 0;             // 0: any free one
    Millis answer_delay{0};
    bool keep_arrivals = false;
  };
  /// Which pushes are answered with `status` instead of 200: a random share (0 to 1), and each
  /// task's first `attempts` attempts.
  struct Failing {
    double share = 0;
    std::uint32_t attempts = 0;
    std::uint16_t status = 503;
  };

  /// Binds, listens and starts the thread. Error slug `network`.
  [[nodiscard]] static Result<std::unique_ptr<Receiver>> start(const Options& options);
  /// Ends the thread and closes every connection.
  ~Receiver();
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  /// "http://127.0.0.1:43123/".
  [[nodiscard]] const std::string& url() const;
  void set_failing(const Failing& failing);
  /// From now on "early" means before `now` and no longer before the machine's clock: for a server
  /// whose clock is moved by hand. Lateness is no longer meaningful.
  void set_clock(WallTime now);

  [[nodiscard]] ReceiverSummary summary() const;
  /// True as soon as `accepted` pushes were answered 2xx in all; false if `patience` ends first.
  [[nodiscard]] bool wait_for_accepted(std::uint64_t accepted, Millis patience) const;
  /// What was recorded since the last call, in order of arrival. Only with `keep_arrivals`.
  [[nodiscard]] std::vector<Arrival> take_arrivals();

 private:
  class Impl;
  explicit Receiver(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace carillon::load
