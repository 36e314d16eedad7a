#include "tools/replay/inspection.h"

#include <filesystem>
#include <iostream>

#include <fcntl.h>
#include <fmt/format.h>
#include <rocksdb/env.h>
#include <unistd.h>

#include "base/text.h"
#include "storage/bytes.h"
#include "storage/open_store.h"
#include "storage/store.h"
#include "storage/synced_mark.h"
#include "tools/client/terminal.h"
#include "tools/replay/saved_tasks.h"

namespace carillon::replay {

namespace {

/// Lines of one kind that a person still reads.
constexpr std::size_t kLinesMax = 20;

/// The process that holds the lock; asked without taking it, since that would write.
std::optional<int> user_of(const DataDir& dir) {
  const int file = ::open(dir.lock().c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const bool asked = ::fcntl(file, F_GETLK, &lock) == 0;
  ::close(file);
  if (!asked || lock.l_type == F_UNLCK) return std::nullopt;
  return lock.l_pid;
}

/// Opens it as a start would, without writing.
std::string why_refused(const DataDir& dir, std::optional<Sequence> synced) {
  StoreOptions options;
  options.info_log = false;
  const auto store = Store::open(dir.db(), StoreMode::read_only, options, nullptr);
  if (!store) return store.error().detail;
  const auto end = (*store)->log_end();
  if (!end) return end.error().detail;
  const auto checked = check_against_mark(dir, end->last, synced);
  return checked ? "" : checked.error().detail;
}

template <typename Lines>
void say(const Lines& lines) {
  std::size_t said = 0;
  for (const std::string& line : lines) {
    if (said++ == kLinesMax) break;
    std::cerr << "lost: " << client::printable(line) << '\n';
  }
  if (lines.size() > kLinesMax) {
    std::cerr << "lost: ... and " << grouped(lines.size() - kLinesMax) << " more like these\n";
  }
}

}  // namespace

Result<SipKey> Inspection::key() const {
  if (const auto key = salvage->sip_key()) return *key;
  return storage_error(
      dir.path +
      ": the directory's key cannot be read, without which no task would be found by its id. "
      "`carillon-replay export` or `post` still work.");
}

Result<Inspection> inspect(const std::string& path, const Until& until, ProgressLine& progress) {
  Inspection inspection;
  inspection.dir.path = path;
  const DataDir& dir = inspection.dir;
  if (!std::filesystem::is_directory(path)) return storage_error(path + ": no such directory");
  if (const auto pid = user_of(dir)) {
    return storage_error(fmt::format(
        "{}: process {} runs on it; stop that, or look at a checkpoint of it", path, *pid));
  }
  rocksdb::Env* env = rocksdb::Env::Default();
  if (const auto format = check_format(env, dir); !format) {
    // Without its version, what lies there is read as what it most likely is; a newer one is not.
    if (format.error().detail.find("newer") != std::string::npos) return format.error();
    inspection.refusal = format.error().detail;
  }
  const auto synced = SyncedMark::read(env, dir.mark());
  if (synced) inspection.synced = *synced;
  if (!synced) inspection.refusal = synced.error().detail;
  auto salvage = Salvage::open(dir);
  if (!salvage) return salvage.error();
  inspection.salvage = std::move(*salvage);
  if (inspection.refusal.empty()) inspection.refusal = why_refused(dir, inspection.synced);
  inspection.history = std::make_unique<History>();
  const auto replayed = inspection.history->replay(*inspection.salvage, until, inspection.synced,
                                                   progress.of("reading the log"));
  if (!replayed) return std::move(Error(replayed.error())).in(path);
  return inspection;
}

void report_losses(const Inspection& inspection, const SavedTasks& tasks) {
  std::vector<std::string> lines;
  for (const Damage& damage : inspection.salvage->damage()) {
    lines.push_back(damage.file + ": " + damage.what);
  }
  say(lines);
  lines = inspection.history->bad_rows();
  say(lines);
  lines.clear();
  for (const LostRange& range : inspection.history->lost()) {
    lines.push_back(
        fmt::format("sequences {} to {}: what was added, cancelled, moved or delivered "
                    "in them is unknown",
                    range.first, range.last));
  }
  say(lines);
  lines.clear();
  for (const ContentLost& lost : tasks.lost) {
    lines.push_back(fmt::format("the content of task number {} ({}, due {}): {}", lost.task.number,
                                name_of(lost.task.state), format_moment(lost.task.due), lost.why));
  }
  say(lines);
}

}  // namespace carillon::replay
