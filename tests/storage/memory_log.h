// A log in memory, for tests and for simulation.
//
// Operation: what is durable lives in a MemoryDisk, which outlives the log: a crash is dropping the
// log and giving its disk to a new one. Rows are encoded and decoded as they are on a real disk. An
// append is acknowledged at once, or, with AutoAck::no, when the test says so; between the two
// steps of `sync_next` and `ack_next` lies the crash after which a record is durable although
// nobody was told.
//
// Concurrency: one thread. Every callback goes through `post`.
//
// Limitations: nothing fails by itself, and no append is fenced; everything is in memory.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/log.h"

namespace carillon {

/// What a crash leaves behind.
struct MemoryDisk {
  SipKey key{0x0123456789abcdef, 0xfedcba9876543210};
  std::map<Sequence, std::string> batches;  // by first sequence, encoded
  std::map<TaskNumber, std::string> contents;
  std::map<TaskNumber, std::string> notes;  // encoded
  std::uint64_t log_bytes = 0;              // of `batches`
  Sequence last = 0;
  WallTime clock{};           // of the latest batch without records
  bool low_on_space = false;  // what stats say
  bool short_of_space = false;

  /// Makes `batch` durable; answers how many bytes that takes.
  std::uint64_t write(const Batch& batch);
};

enum class AutoAck { yes, no };

class MemoryLog final : public Log {
 public:
  MemoryLog(Post post, AutoAck auto_ack,
            std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>());
  ~MemoryLog() override;

  [[nodiscard]] SipKey key() const override;
  [[nodiscard]] Result<> read(
      Sequence from, const std::function<void(Batch&&)>& visit,
      const std::function<void(std::uint64_t, std::uint64_t)>& progress) override;
  void follow(Sequence from, std::uint64_t bytes, Followed done) override;
  void append(Batch&& batch, AppendDone done) override;
  void fetch(Fetch wanted, std::function<void(std::vector<Fetched>)> done) override;
  void read_oldest(std::uint64_t bytes, std::function<void(std::vector<Batch>)> done) override;
  /// Always an error: there is no directory to copy.
  void checkpoint(std::string dir, std::function<void(Result<>)> done) override;
  [[nodiscard]] LogStats stats() const override;
  void close() override;

  /// What is durable, for the next log to start from.
  [[nodiscard]] std::shared_ptr<MemoryDisk> disk() const { return disk_; }
  /// An append waits to be made durable or acknowledged.
  [[nodiscard]] bool in_flight() const;
  /// Makes the append under way durable without telling anybody. In flight and not yet durable.
  void sync_next();
  /// Makes the append under way durable, if it is not yet, and acknowledges it. In flight.
  void ack_next();

 private:
  struct Append;
  struct Follower {
    Sequence from = 0;
    std::uint64_t bytes = 0;
    Followed done;
  };

  /// The batches from that row on until `bytes` are read, at least one.
  [[nodiscard]] std::vector<Batch> batches_from(Sequence first, std::uint64_t bytes) const;

  Post post_;
  AutoAck auto_ack_;
  std::shared_ptr<MemoryDisk> disk_;
  std::shared_ptr<Append> append_;
  std::vector<Follower> followers_;  // that wait for what comes
  LogStats stats_;
};

}  // namespace carillon
