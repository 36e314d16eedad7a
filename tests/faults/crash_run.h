// A server or a cluster through many deaths: its clients, a receiver and the ledger.
//
// Operation: writers and an operating client go on at their own pace from `begin` to `finish`, and
// wait while there is no server. In between the test starts and kills it as it likes, and publishes
// where it is (CrashingServer and CrashingCluster do). `finish`
// halts everything, compares what the server says of its tasks with the ledger, then lets
// everything come due, and judges.
//
// Concurrency: the test's thread, besides the threads in here.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/faults/operating.h"
#include "tests/faults/server_address.h"
#include "tests/faults/writer.h"
#include "tests/support/temp_dir.h"
#include "tools/load/receiver.h"

namespace carillon::test {

class CrashRun {
 public:
  struct Options {
    std::uint64_t seed = 0;
    Served served{};
  };
  /// `address` must outlive it.
  CrashRun(ServerAddress& address, const Options& options);
  ~CrashRun();
  CrashRun(const CrashRun&) = delete;
  CrashRun& operator=(const CrashRun&) = delete;

  /// The clients begin. The server runs.
  void begin();
  /// Waits until there is a history of some length.
  void go_on_for_a_while();
  /// The clients end, and all is judged. The server is ready. `may_repeat`: a task whose push was
  /// under way at a death was pushed again.
  void finish(bool may_repeat = true);

  /// Of the end.
  [[nodiscard]] const Ledger::Verdict& verdict() const { return verdict_; }
  [[nodiscard]] std::string figures() const;

 private:
  struct Said {
    std::vector<std::string> exported, listed;  // ids, sorted
    std::int64_t counted = 0;
  };

  void end_clients();
  void halt();
  void ask_the_server();
  [[nodiscard]] Said what_is_pending();
  void take_dead();
  void come_due();
  [[nodiscard]] std::int64_t count(std::string_view state);
  [[nodiscard]] client::ApiAnswer get(const std::string& path);
  void take_arrivals();

  TempDir dir_;
  std::unique_ptr<load::Receiver> receiver_, doomed_receiver_;
  ServerAddress& address_;
  const Options options_;
  Caller caller_;
  SharedLedger ledger_;
  std::vector<std::unique_ptr<Writer>> writers_;
  std::unique_ptr<OperatingClient> operating_;
  std::atomic<bool> ending_{false};
  std::vector<std::thread> threads_;
  Ledger::Verdict verdict_;
  std::int64_t log_bytes_ = 0;
};

}  // namespace carillon::test
