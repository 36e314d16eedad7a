// The data directory: what lies in it, whose it is, and which format it has.
//
//     DIR/FORMAT   text: the format version, for people and for this program
//     DIR/LOCK     locked by the process that uses the directory
//     DIR/SYNCED   the mark (storage/synced_mark.h)
//     DIR/db/      RocksDB's files
//
// FORMAT is written first and SYNCED last, so a directory without SYNCED was either not finished
// being made, or damaged; which of the two, db/ tells.
//
// Concurrency: none; used while a log is opened.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace rocksdb {
class Env;
class FileLock;
class Status;
}  // namespace rocksdb

namespace carillon {

inline constexpr int kFormatVersion = 5;

/// The paths of a data directory.
struct DataDir {
  std::string path;

  [[nodiscard]] std::string format() const { return path + "/FORMAT"; }
  [[nodiscard]] std::string lock() const { return path + "/LOCK"; }
  [[nodiscard]] std::string mark() const { return path + "/SYNCED"; }
  [[nodiscard]] std::string db() const { return path + "/db"; }
};

/// The lock on a data directory, until its end: on its file LOCK and on the directory itself, so
/// that a second process finds it locked also where LOCK was deleted.
class DataDirLock {
 public:
  [[nodiscard]] static Result<std::unique_ptr<DataDirLock>> take(rocksdb::Env* env,
                                                                 const DataDir& dir);
  ~DataDirLock();
  DataDirLock(const DataDirLock&) = delete;
  DataDirLock& operator=(const DataDirLock&) = delete;

 private:
  DataDirLock(rocksdb::Env* env, rocksdb::FileLock* lock) : env_(env), lock_(lock) {}
  rocksdb::Env* env_;
  rocksdb::FileLock* lock_;
  int directory_ = -1;  // open and locked, where that is possible
};

/// Makes the directory, readable by its owner alone, if it is not there; its parent must be.
[[nodiscard]] Result<> make_data_dir(rocksdb::Env* env, const DataDir& dir);
/// The same; an error where something of that name is there.
[[nodiscard]] Result<> make_new_data_dir(rocksdb::Env* env, const DataDir& dir);

/// Writes FORMAT, durably.
[[nodiscard]] Result<> write_format(rocksdb::Env* env, const DataDir& dir);

/// The format that the directory says it has; 0: it has none and no data. Refuses one that this
/// program does not read, and a directory that has data but no format.
[[nodiscard]] Result<int> check_format(rocksdb::Env* env, const DataDir& dir);

/// True where nothing was ever written to it, so that a database may be made in it.
[[nodiscard]] Result<bool> is_fresh(rocksdb::Env* env, const DataDir& dir);

/// Makes `path`'s entries (made, renamed) durable.
[[nodiscard]] Result<> sync_dir(rocksdb::Env* env, const std::string& path);

/// Writes a small file whole and durably: beside it, synced, renamed, the directory synced.
[[nodiscard]] Result<> write_file(rocksdb::Env* env, const std::string& dir,
                                  const std::string& path, const std::string& bytes);

/// What RocksDB said, as an error of slug `storage`, `doing` what.
[[nodiscard]] Error status_error(const rocksdb::Status& status, std::string_view doing);

/// What an operator does about a damaged directory; ends an error's detail.
[[nodiscard]] std::string how_to_go_on(const DataDir& dir);

}  // namespace carillon
