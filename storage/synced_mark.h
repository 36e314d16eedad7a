// The mark: the highest sequence known to be synced, in a small file of its own.
//
// Why: RocksDB's point-in-time recovery stops, silently, at the first record of its write-ahead log
// that it cannot read. After a crash that is right, since what follows was never acknowledged.
// After damage it drops what was. The mark tells the two apart: a log that ends below it has lost
// what was promised.
//
// Operation: two slots, written in turn, each with a generation and a checksum; the valid one of
// the higher generation counts. A torn write costs one slot, and so at most the latest step.
//
// Concurrency: one thread at a time.
//
// Limitations: the mark trails the log by up to 50 ms under load (storage/committer.h); damage to
// just that end is not noticed.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "wheel/task.h"

namespace rocksdb {
class Env;
class RandomRWFile;
}  // namespace rocksdb

namespace carillon {

class SyncedMark {
 public:
  /// Writes a mark of `sequence` into `dir`, durably.
  [[nodiscard]] static Result<> create(rocksdb::Env* env, const std::string& dir,
                                       const std::string& path, Sequence sequence);
  /// What the mark at `path` says; nothing where there is no such file. Error: neither slot is
  /// valid.
  [[nodiscard]] static Result<std::optional<Sequence>> read(rocksdb::Env* env,
                                                            const std::string& path);
  /// For writing. The file exists and can be read.
  [[nodiscard]] static Result<std::unique_ptr<SyncedMark>> open(rocksdb::Env* env,
                                                                const std::string& path);
  ~SyncedMark();

  [[nodiscard]] Sequence sequence() const { return sequence_; }
  /// Durable on return. An error is as bad as that of any other sync.
  [[nodiscard]] Result<> write(Sequence sequence);

 private:
  SyncedMark();
  std::unique_ptr<rocksdb::RandomRWFile> file_;
  std::string path_;
  std::uint64_t generation_ = 0;
  Sequence sequence_ = 0;
};

}  // namespace carillon
