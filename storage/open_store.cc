#include "storage/open_store.h"

#include <random>

#include <fmt/format.h>
#include <rocksdb/env.h>

#include "base/failpoint.h"
#include "storage/bytes.h"

namespace carillon {

namespace {

SipKey random_key() {
  std::random_device random;  // the kernel's, through getentropy
  const auto word = [&random] { return std::uint64_t{random()} << 32 | random(); };
  return {word(), word()};
}

/// Replays the write-ahead log without writing, to see how far it reaches, and reads what a start
/// cannot do without. A writable open would throw away what lies behind a damaged record.
Result<> probe(const DataDir& dir, StoreOptions options, std::optional<Sequence> synced) {
  options.info_log = false;
  const auto store = Store::open(dir.db(), StoreMode::read_only, options, nullptr);
  if (!store) {
    Error error = store.error();
    error.detail += ". " + how_to_go_on(dir);
    return error;
  }
  const auto unreadable = [&dir](Error error) {
    error.detail = fmt::format("{}: {}. {}", dir.path, error.detail, how_to_go_on(dir));
    return error;
  };
  const auto end = (*store)->log_end();
  if (!end) return unreadable(end.error());
  if (const auto key = (*store)->sip_key(); !key) return unreadable(key.error());
  return check_against_mark(dir, end->last, synced);
}

/// Opening writes out what the write-ahead log holds, and a few small files. On a full disk RocksDB
/// 7.8 may stop in the middle of that with an assertion; so it is not begun.
Result<> check_space(const DataDir& dir, rocksdb::Env* env) {
  constexpr std::uint64_t kSmallFiles = 8 << 20;
  std::uint64_t free = 0;
  if (!env->GetFreeSpace(dir.path, &free).ok()) return {};
  std::uint64_t needed = kSmallFiles;
  std::vector<rocksdb::Env::FileAttributes> files;
  if (env->GetChildrenFileAttributes(dir.db(), &files).ok()) {
    for (const auto& file : files) {
      if (file.name.ends_with(".log")) needed += file.size_bytes;
    }
  }
  if (free >= needed) return {};
  return storage_error(fmt::format(
      "{}: the disk is full: opening may take {} MiB and {} are free. Nothing was changed; make "
      "room and start again.",
      dir.path, (needed >> 20) + 1, free >> 20));
}

/// Files that RocksDB was writing when the process was killed, under names that are not theirs yet;
/// it never looks at them again.
void remove_left_over(const DataDir& dir, rocksdb::Env* env) {
  std::vector<std::string> names;
  if (!env->GetChildren(dir.db(), &names).ok()) return;
  for (const std::string& name : names) {
    if (name.ends_with(".dbtmp")) env->DeleteFile(dir.db() + "/" + name).PermitUncheckedError();
  }
}

/// The database itself was not finished being made: it lacks families, so nothing was ever
/// committed to it.
bool lacks_families(const DataDir& dir, const StoreOptions& options) {
  std::vector<std::string> names;
  const auto status = rocksdb::DB::ListColumnFamilies(database_options(options), dir.db(), &names);
  return status.ok() && names.size() < family_descriptors(nullptr).size();
}

/// Completes a directory that is new, or whose making was cut short.
Result<> complete(OpenStore& opened, rocksdb::Env* env, const std::optional<SipKey>& wanted,
                  std::optional<Sequence> synced) {
  auto key = opened.store->sip_key();
  if (!key) return key.error();
  if (!*key) {
    if (opened.end.last != 0) {
      return storage_error(fmt::format("{}: the key of the log is missing. {}", opened.dir.path,
                                       how_to_go_on(opened.dir)));
    }
    *key = wanted ? *wanted : random_key();
    if (auto wrote = opened.store->initialize(**key); !wrote) return wrote;
    CARILLON_FAILPOINT("open.initialized");
  }
  if (wanted && **key != *wanted) {
    return storage_error(opened.dir.path + ": holds another log than the one that was asked for");
  }
  opened.key = **key;
  if (auto raised = opened.store->raise_format(); !raised) return raised;
  if (synced) return {};
  return SyncedMark::create(env, opened.dir.path, opened.dir.mark(), opened.end.last);
}

}  // namespace

Result<> check_against_mark(const DataDir& dir, Sequence recovered,
                            std::optional<Sequence> synced) {
  if (!synced && recovered == 0) return {};
  if (!synced) {
    return storage_error(fmt::format(
        "{}: its file SYNCED is missing, so nobody can tell whether the log, which ends at "
        "sequence {}, is whole. {}",
        dir.path, recovered, how_to_go_on(dir)));
  }
  if (recovered >= *synced) return {};
  return storage_error(fmt::format(
      "{}: the log was synced up to sequence {}, but can be read only up to {}: up to {} "
      "acknowledged records would be lost, so this directory is not opened. {}",
      dir.path, *synced, recovered, *synced - recovered, how_to_go_on(dir)));
}

Result<OpenStore> open_data_dir(const DataDir& dir, const StoreOptions& options,
                                const std::optional<SipKey>& key, FailureLatch* latch) {
  rocksdb::Env* env = options.env != nullptr ? options.env : rocksdb::Env::Default();
  OpenStore opened;
  opened.dir = dir;
  if (auto made = make_data_dir(env, dir); !made) return made.error();
  CARILLON_FAILPOINT("open.dir_made");
  auto lock = DataDirLock::take(env, dir);
  if (!lock) return lock.error();
  opened.lock = std::move(*lock);
  const auto format = check_format(env, dir);
  if (!format) return format.error();
  const auto fresh = is_fresh(env, dir);
  if (!fresh) return fresh.error();
  auto synced = SyncedMark::read(env, dir.mark());
  if (!synced) return std::move(synced.error()).in(dir.path);
  if (auto space = check_space(dir, env); !space) return space.error();
  if (*fresh) {
    if (auto wrote = write_format(env, dir); !wrote) return wrote.error();
    CARILLON_FAILPOINT("open.format_written");
  } else if (*synced || !lacks_families(dir, options)) {
    if (auto sound = probe(dir, options, *synced); !sound) return sound.error();
    CARILLON_FAILPOINT("open.probed");
  }
  // Before anything is written that an older program would stumble over.
  if (*format != kFormatVersion && !*fresh) {
    if (auto wrote = write_format(env, dir); !wrote) return wrote.error();
  }
  remove_left_over(dir, env);
  auto store =
      Store::open(dir.db(), *fresh ? StoreMode::create : StoreMode::read_write, options, latch);
  if (!store) return store.error();
  opened.store = std::move(*store);
  CARILLON_FAILPOINT("open.opened");
  const auto end = opened.store->log_end();
  if (!end) return end.error();
  opened.end = *end;
  const auto stream = opened.store->stream_position();
  if (!stream) return stream.error();
  opened.stream = *stream;
  if (auto completed = complete(opened, env, key, *synced); !completed) return completed.error();
  auto mark = SyncedMark::open(env, dir.mark());
  if (!mark) return mark.error();
  opened.mark = std::move(*mark);
  CARILLON_FAILPOINT("open.marked");
  return opened;
}

}  // namespace carillon
