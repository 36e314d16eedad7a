#include "storage/dir_watch.h"

#include <rocksdb/transaction_log.h>
#include <sys/stat.h>

#include "base/thread.h"

namespace carillon {

DirWatch::DirWatch(DataDir dir, Store& store, FailureLatch& latch)
    : dir_(std::move(dir)), store_(store), latch_(latch) {
  for (const std::string& path : {dir_.path, dir_.lock(), dir_.mark(), dir_.db()}) {
    known_.emplace_back(path, identity(path));
  }
  thread_ = std::thread([this] {
    begin_thread("dir watch");
    run();
  });
}

DirWatch::~DirWatch() {
  close();
}

void DirWatch::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void DirWatch::run() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kPause, [this] { return closing_; })) {
    lock.unlock();
    if (const auto path = missing()) {
      latch_.fail(*path + " was deleted or replaced while the server was running");
      return;
    }
    lock.lock();
  }
}

std::optional<DirWatch::Identity> DirWatch::identity(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return Identity{info.st_dev, info.st_ino};
}

std::optional<std::string> DirWatch::missing() {
  for (const auto& [path, was] : known_) {
    if (identity(path) != was) return path;
  }
  if (!identity(dir_.format())) return dir_.format();
  return missing_database_file();
}

std::optional<std::string> DirWatch::missing_database_file() {
  // Between the list and the look the database may itself have deleted a file; then it is not on
  // the next list.
  std::optional<std::string> gone;
  for (int look = 0; look < 2; ++look) {
    std::vector<std::string> files;
    std::uint64_t manifest_bytes = 0;
    if (!store_.db().GetLiveFiles(files, &manifest_bytes, /*flush_memtable=*/false).ok()) return {};
    std::unique_ptr<rocksdb::LogFile> wal;
    if (store_.db().GetCurrentWalFile(&wal).ok() && wal) files.push_back(wal->PathName());
    std::optional<std::string> first;
    for (const std::string& file : files) {
      const std::string path = dir_.db() + (file.starts_with('/') ? "" : "/") + file;
      if (identity(path)) continue;
      if (gone == path) return gone;
      if (!first) first = path;
    }
    if (!first) return {};
    gone = first;
  }
  return {};
}

}  // namespace carillon
