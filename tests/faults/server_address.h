// Where clients find a server that dies and comes back, or the nodes of a cluster that are there.
//
// Concurrency: any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace carillon::test {

class ServerAddress {
 public:
  struct Known {
    std::string url;
    std::uint64_t generation = 0;
  };

  /// These are there from now on, and no others; a generation of its own.
  void publish(std::vector<std::string> urls);
  void withdraw() { publish({}); }
  /// One of those of a later generation than `after`, in turn; or, when that has not come within a
  /// second, of those that are there. Nothing: there was none for minutes.
  [[nodiscard]] std::optional<Known> wait(std::uint64_t after);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> urls_;
  std::uint64_t generation_ = 0;
  std::size_t turn_ = 0;
};

}  // namespace carillon::test
