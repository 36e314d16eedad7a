// Notices that the data directory, or what lies in it, was deleted or replaced while it is in use.
//
// Why: a process goes on writing into files that have no name any more, and every sync succeeds.
// What it acknowledges then is gone with the process. And where LOCK is gone, a second server finds
// the directory free.
//
// Operation: a thread looks four times a second whether the directory, LOCK, SYNCED, db/ and each
// file that the database counts on are still there, the first four by their inode. If not, storage
// has failed.
//
// Concurrency: a thread of its own until `close`.
//
// Limitations: for the machine's own file system. Files that were cut or written over are noticed
// when they are read (checksums), not here.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/failure_latch.h"
#include "storage/store.h"

namespace carillon {

class DirWatch {
 public:
  /// All three must outlive the watch; the directory is open and locked.
  DirWatch(DataDir dir, Store& store, FailureLatch& latch);
  ~DirWatch();
  DirWatch(const DirWatch&) = delete;
  DirWatch& operator=(const DirWatch&) = delete;

  /// Ends the thread. Idempotent.
  void close();

 private:
  static constexpr std::chrono::milliseconds kPause{250};
  /// Device and inode.
  using Identity = std::pair<std::uint64_t, std::uint64_t>;
  [[nodiscard]] static std::optional<Identity> identity(const std::string& path);
  void run();
  /// A path that is not what it was; nothing where all is well.
  [[nodiscard]] std::optional<std::string> missing();
  [[nodiscard]] std::optional<std::string> missing_database_file();

  const DataDir dir_;
  Store& store_;
  FailureLatch& latch_;
  std::vector<std::pair<std::string, std::optional<Identity>>> known_;  // by path
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace carillon
