// Watching a server while something bad is done to it: its memory and descriptors, how soon it
// answers, how punctual the tasks of a good customer stay, and what of that is the machine's doing.
//
// Operation: a Customer adds tasks at a steady rate to a receiver of its own and judges what comes;
// a GoodClient asks for /healthz, adds and cancels over one connection, again and again, and keeps
// the times.
//
// Concurrency: GoodClient has a thread of its own until `stop`, MachineStalls until its end; the
// rest is the test's thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "base/histogram.h"
#include "tests/end_to_end/carillond.h"
#include "tests/end_to_end/subscribers.h"
#include "tools/load/receiver.h"

namespace carillon::test {

/// What the kernel says of a process.
struct ProcessUsage {
  std::uint64_t resident_bytes = 0;
  std::uint64_t peak_bytes = 0;  // of resident memory, since the start or `forget_peak`
  std::uint64_t address_space_bytes = 0;
  std::size_t open_files = 0;
};
[[nodiscard]] ProcessUsage usage_of(int pid);
void forget_peak(int pid);
/// What all TCP sockets of this machine hold in the kernel.
[[nodiscard]] std::uint64_t tcp_kernel_bytes();
[[nodiscard]] double mib(std::uint64_t bytes);
/// "p50 0.2 ms, p99 0.9 ms, max 1.3 ms (4000)".
[[nodiscard]] std::string quantiles(const Histogram& times);

/// Puts the target; a test failure where it is not taken.
void put_target(const Carillond& server, const std::string& name, const std::string& settings);

/// How long this machine makes anybody wait: a thread that sleeps for a millisecond, writes a page
/// and syncs it, again and again. Where others share the processors and the disk, that can be half
/// a second, for which the server is not to blame.
class MachineStalls {
 public:
  /// Writes to a file of its own in `dir`.
  explicit MachineStalls(const std::string& dir);
  ~MachineStalls();
  MachineStalls(const MachineStalls&) = delete;
  MachineStalls& operator=(const MachineStalls&) = delete;

  /// The longest turn so far.
  [[nodiscard]] Histogram::Micros longest() const { return Histogram::Micros(longest_us_); }

 private:
  void run();
  int file_;
  std::atomic<std::int64_t> longest_us_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// The most that the p99 of a lateness or of an answer may be, where it was `alone` without anybody
/// bad about: three times that, `more`, and what the machine itself took meanwhile, twice, since a
/// push waits for a commit and the receiver for a processor.
[[nodiscard]] Histogram::Micros p99_max(const Histogram& alone, Millis more,
                                        const MachineStalls& stalls);

class Customer {
 public:
  /// Starts a receiver and makes it the target `name`; `host` is what the URL calls 127.0.0.1.
  explicit Customer(const Carillond& server, const std::string& name = "customer",
                    const std::string& host = "127.0.0.1");

  /// Adds tasks, `rate` for each second of `length`, the first due at `start`.
  void add(std::size_t rate, Millis length, WallTime start);
  /// Waits until all have come, each once and none early; a test failure if not. Their lateness.
  Histogram finish();

  [[nodiscard]] const std::string& target() const { return name_; }
  [[nodiscard]] load::Receiver& receiver() { return *receiver_; }

 private:
  const Carillond& server_;
  std::string name_;
  std::unique_ptr<load::Receiver> receiver_;
  Subscribers people_;
};

class GoodClient {
 public:
  /// Connects, and begins. Its tasks are for `target` and are cancelled again at once.
  GoodClient(const Carillond& server, std::string target);
  ~GoodClient();
  GoodClient(const GoodClient&) = delete;
  GoodClient& operator=(const GoodClient&) = delete;

  struct Figures {
    Histogram health, add;
    std::uint64_t refused = 0;    // answers other than 2xx
    std::uint64_t cut_off = 0;    // no answer
    std::string first_refusal{};  // for a person
  };
  /// Ends it; what it saw.
  const Figures& stop();

 private:
  void run();
  bool time(std::string_view method, const std::string& path, const std::string& body,
            Histogram& into);
  std::unique_ptr<client::ApiClient> api_;
  std::string target_;
  Figures figures_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace carillon::test
