#include "storage/checkpoint.h"

#include <algorithm>
#include <filesystem>
#include <random>

#include <fmt/format.h>
#include <rocksdb/env.h>
#include <rocksdb/utilities/checkpoint.h>
#include <sys/stat.h>

#include "base/failpoint.h"
#include "storage/bytes.h"
#include "storage/synced_mark.h"

namespace carillon {

namespace {

std::string parent_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

/// Whether `inner` is `outer` or lies in it; both are resolved.
bool lies_in(const std::filesystem::path& inner, const std::filesystem::path& outer) {
  return std::ranges::mismatch(outer, inner).in1 == outer.end();
}

/// Refuses a place that cannot hold a copy, with the slug of bad input.
Result<> check_place(rocksdb::Env* env, const DataDir& own, const DataDir& to) {
  const auto refused = [](std::string why) { return Error{"bad_value", std::move(why), "dir"}; };
  if (to.path.find('\0') != to.path.npos) return refused("`dir` must not contain a NUL byte");
  std::error_code failed;
  const auto ours = std::filesystem::weakly_canonical(own.path, failed);
  const auto place = failed ? ours : std::filesystem::weakly_canonical(to.path, failed);
  if (failed) return storage_error(to.path + ": " + failed.message());
  if (lies_in(place, ours)) {
    return refused("`dir` must not lie in the data directory, which is " + ours.string());
  }
  if (lies_in(ours, place)) {
    return refused("`dir` must not hold the data directory, which is " + ours.string());
  }
  if (env->FileExists(to.path).ok()) {
    return storage_error(to.path + ": exists already; name a directory that does not");
  }
  return {};
}

/// A directory beside the goal that nobody else has made.
Result<DataDir> make_draft(rocksdb::Env* env, const DataDir& to) {
  std::random_device random;
  const DataDir draft{fmt::format("{}.incomplete-{:08x}", to.path, random())};
  if (auto made = make_new_data_dir(env, draft); !made) return made.error();
  return draft;
}

Result<> fill(Store& store, const DataDir& draft, Sequence synced) {
  rocksdb::Env* env = store.db().GetEnv();
  CARILLON_FAILPOINT("checkpoint.begun");
  rocksdb::Checkpoint* checkpoint = nullptr;
  auto status = rocksdb::Checkpoint::Create(&store.db(), &checkpoint);
  const std::unique_ptr<rocksdb::Checkpoint> owner(checkpoint);
  if (status.ok()) status = checkpoint->CreateCheckpoint(draft.db());
  if (!status.ok()) return status_error(status, "copying the database to " + draft.db());
  CARILLON_FAILPOINT("checkpoint.copied");
  if (auto wrote = SyncedMark::create(env, draft.path, draft.mark(), synced); !wrote) return wrote;
  CARILLON_FAILPOINT("checkpoint.marked");
  return write_format(env, draft);
}

}  // namespace

Result<> write_checkpoint(Store& store, const DataDir& own, DataDir to, Sequence synced) {
  while (to.path.size() > 1 && to.path.ends_with('/')) to.path.pop_back();
  rocksdb::Env* env = store.db().GetEnv();
  if (auto fit = check_place(env, own, to); !fit) return fit;
  const Result<DataDir> draft = make_draft(env, to);
  if (!draft) return draft.error();
  auto filled = fill(store, *draft, synced);
  if (filled) {
    CARILLON_FAILPOINT("checkpoint.complete");
    const auto status = env->RenameFile(draft->path, to.path);
    CARILLON_FAILPOINT("checkpoint.renamed");
    if (status.ok()) return sync_dir(env, parent_of(to.path));
    filled = status_error(status, fmt::format("renaming {} to {}", draft->path, to.path));
  }
  std::error_code ignored;
  std::filesystem::remove_all(draft->path, ignored);
  return filled;
}

}  // namespace carillon
