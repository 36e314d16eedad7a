#include "storage/checkpoint.h"

#include <filesystem>

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

Result<> fill(Store& store, const DataDir& draft, Sequence synced) {
  rocksdb::Env* env = store.db().GetEnv();
  if (auto made = make_data_dir(env, draft); !made) return made;
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

Result<> write_checkpoint(Store& store, DataDir to, Sequence synced) {
  while (to.path.size() > 1 && to.path.ends_with('/')) to.path.pop_back();
  rocksdb::Env* env = store.db().GetEnv();
  if (env->FileExists(to.path).ok()) {
    return storage_error(to.path + ": exists already; name a directory that does not");
  }
  const DataDir draft{to.path + ".incomplete"};
  std::error_code ignored;
  std::filesystem::remove_all(draft.path, ignored);  // of a checkpoint that was killed
  auto filled = fill(store, draft, synced);
  if (filled) {
    CARILLON_FAILPOINT("checkpoint.complete");
    const auto status = env->RenameFile(draft.path, to.path);
    CARILLON_FAILPOINT("checkpoint.renamed");
    if (status.ok()) return sync_dir(env, parent_of(to.path));
    filled = status_error(status, fmt::format("renaming {} to {}", draft.path, to.path));
  }
  std::filesystem::remove_all(draft.path, ignored);
  return filled;
}

}  // namespace carillon
