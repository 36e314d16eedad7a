#include "storage/data_dir.h"

#include <cerrno>
#include <charconv>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <rocksdb/env.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/bytes.h"

namespace carillon {

namespace {

constexpr std::string_view kTitle = "Carillon data directory, format ";

bool exists(rocksdb::Env* env, const std::string& path) {
  return env->FileExists(path).ok();
}

Error in_use(const DataDir& dir, const std::string& why) {
  return storage_error(
      fmt::format("{}: cannot be locked; most likely another carillond runs on it: stop that one, "
                  "or use another data directory ({})",
                  dir.path, why));
}

}  // namespace

Error status_error(const rocksdb::Status& status, std::string_view doing) {
  return storage_error(fmt::format("{}: {}", doing, status.ToString()));
}

std::string how_to_go_on(const DataDir& dir) {
  return fmt::format(
      "Nothing was changed. `carillon-replay verify {0}` says what is damaged; `carillon-replay "
      "rebuild {0} NEW-DIR` saves what is readable into a new data directory to start on.",
      dir.path);
}

Result<std::unique_ptr<DataDirLock>> DataDirLock::take(rocksdb::Env* env, const DataDir& dir) {
  rocksdb::FileLock* lock = nullptr;
  if (const auto status = env->LockFile(dir.lock(), &lock); !status.ok()) {
    return in_use(dir, status.ToString());
  }
  std::unique_ptr<DataDirLock> taken(new DataDirLock(env, lock));
  // LOCK may be deleted, and another be made in its place; the directory is harder to lose. Where
  // there is no such directory on this machine's file system, or it knows no such lock, LOCK has to
  // do.
  taken->directory_ = ::open(dir.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (taken->directory_ >= 0 && ::flock(taken->directory_, LOCK_EX | LOCK_NB) != 0 &&
      errno == EWOULDBLOCK) {
    return in_use(dir, "the directory itself is locked");
  }
  return taken;
}

DataDirLock::~DataDirLock() {
  if (directory_ >= 0) ::close(directory_);
  env_->UnlockFile(lock_).PermitUncheckedError();
}

Result<> sync_dir(rocksdb::Env* env, const std::string& path) {
  std::unique_ptr<rocksdb::Directory> directory;
  auto status = env->NewDirectory(path, &directory);
  if (status.ok()) status = directory->Fsync();
  if (!status.ok()) return status_error(status, "syncing directory " + path);
  return {};
}

Result<> write_file(rocksdb::Env* env, const std::string& dir, const std::string& path,
                    const std::string& bytes) {
  const std::string draft = path + ".new";
  auto status = rocksdb::WriteStringToFile(env, bytes, draft, /*should_sync=*/true);
  if (status.ok()) status = env->RenameFile(draft, path);
  if (!status.ok()) return status_error(status, "writing " + path);
  return sync_dir(env, dir);
}

Result<> make_data_dir(rocksdb::Env* env, const DataDir& dir) {
  if (exists(env, dir.path)) return {};
  return make_new_data_dir(env, dir);
}

Result<> make_new_data_dir(rocksdb::Env* env, const DataDir& dir) {
  if (const auto status = env->CreateDir(dir.path); !status.ok()) {
    return status_error(status, "making the data directory " + dir.path);
  }
  // Contents may hold anything, so they are nobody else's to read. There is nothing to set where
  // `env` is not the machine's own file system.
  static_cast<void>(::chmod(dir.path.c_str(), S_IRWXU));
  const std::size_t slash = dir.path.find_last_of('/');
  if (slash == std::string::npos) return sync_dir(env, ".");
  return sync_dir(env, slash == 0 ? "/" : dir.path.substr(0, slash));
}

Result<> write_format(rocksdb::Env* env, const DataDir& dir) {
  return write_file(env, dir.path, dir.format(),
                    fmt::format("{}{}\n"
                                "Written and read by carillond and carillon-replay; "
                                "docs/on-disk-format.md describes it.\n",
                                kTitle, kFormatVersion));
}

Result<int> check_format(rocksdb::Env* env, const DataDir& dir) {
  if (!exists(env, dir.format())) {
    if (!exists(env, dir.db()) && !exists(env, dir.mark())) return 0;
    return storage_error(fmt::format("{}: has data, but its file FORMAT is missing. {}", dir.path,
                                     how_to_go_on(dir)));
  }
  std::string text;
  if (const auto status = rocksdb::ReadFileToString(env, dir.format(), &text); !status.ok()) {
    return status_error(status, "reading " + dir.format());
  }
  int version = 0;
  if (text.starts_with(kTitle)) {
    std::from_chars(text.data() + kTitle.size(), text.data() + text.size(), version);
  }
  if (version > kFormatVersion) {
    return storage_error(fmt::format(
        "{}: has format {}, written by a newer Carillon; this one reads formats up to {}. Start "
        "the newer version on it, or export it with that version's carillon-replay.",
        dir.path, version, kFormatVersion));
  }
  if (version < 1) {
    return storage_error(
        fmt::format("{}: says no format version (its first line should be \"{}{}\")."
                    " If this is a Carillon data directory, its file FORMAT is "
                    "damaged. {}",
                    dir.format(), kTitle, kFormatVersion, how_to_go_on(dir)));
  }
  return version;
}

Result<bool> is_fresh(rocksdb::Env* env, const DataDir& dir) {
  const bool marked = exists(env, dir.mark());
  if (exists(env, dir.db() + "/CURRENT")) return false;
  std::vector<std::string> names;
  const auto status = env->GetChildren(dir.db(), &names);
  if (!status.ok() && !status.IsNotFound() && exists(env, dir.db())) {
    return status_error(status, "reading " + dir.db());
  }
  bool data = false;
  for (const std::string& name : names) {
    data = data || name.ends_with(".sst") || name.ends_with(".log");
  }
  if (!marked && !data) return true;
  return storage_error(
      fmt::format("{}: its file db/CURRENT is missing, so the database cannot be "
                  "opened. {}",
                  dir.path, how_to_go_on(dir)));
}

}  // namespace carillon
