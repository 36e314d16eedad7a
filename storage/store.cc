#include "storage/store.h"

#include <algorithm>

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/listener.h>
#include <rocksdb/system_clock.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include "base/check.h"
#include "storage/bytes.h"
#include "storage/record_codec.h"
#include "storage/wal_reading.h"
#include "storage/wal_space.h"

namespace carillon {

namespace {

constexpr std::size_t kMiB = 1 << 20;

/// Errors of flushes and compactions, which no caller of ours would hear of.
class BackgroundErrors final : public rocksdb::EventListener {
 public:
  explicit BackgroundErrors(FailureLatch* latch) : latch_(latch) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/,
                         rocksdb::Status* status) override {
    if (status->IsShutdownInProgress()) return;
    latch_->fail("the database cannot write: " + status->ToString());
  }

 private:
  FailureLatch* latch_;
};

class NoInfoLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

/// Files of one's own; the clock is that of the other environment, threads are the machine's.
class EnvOver final : public rocksdb::EnvWrapper {
 public:
  EnvOver(rocksdb::Env* env, const std::shared_ptr<rocksdb::FileSystem>& files)
      : EnvWrapper(rocksdb::NewCompositeEnv(files)) {
    file_system_ = files;
    system_clock_ = env->GetSystemClock();
  }
};

void append_big_endian(std::string& out, std::uint64_t value, int width) {
  for (int i = width - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

std::string format_row() {
  std::string row;
  append_big_endian(row, kFormatVersion, 4);
  return row;
}

bool has_lz4() {
  const auto types = rocksdb::GetSupportedCompressions();
  return std::find(types.begin(), types.end(), rocksdb::kLZ4Compression) != types.end();
}

rocksdb::ColumnFamilyOptions family_options(const std::shared_ptr<rocksdb::Cache>& cache,
                                            std::size_t write_buffer, std::size_t block) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = block;
  table.format_version = 5;  // 9.10 writes 6 otherwise, which 7.8 cannot read
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = write_buffer;
  options.max_write_buffer_number = 3;
  options.target_file_size_base = 64 * kMiB;
  options.max_bytes_for_level_base = 256 * kMiB;
  options.compression = rocksdb::kNoCompression;
  // The same levels under 7.8 and 9.10, whose default differs.
  options.level_compaction_dynamic_level_bytes = false;
  options.level0_slowdown_writes_trigger = 30;
  options.level0_stop_writes_trigger = 60;
  return options;
}

}  // namespace

std::string row_key(std::uint64_t number) {
  std::string key;
  append_big_endian(key, kShard, 2);
  append_big_endian(key, number, 8);
  return key;
}

std::optional<std::uint64_t> row_number(std::string_view key) {
  if (key.size() != 10 || big_endian(key.substr(0, 2)) != kShard) return std::nullopt;
  return big_endian(key.substr(2));
}

std::string place_key(Sequence first) {
  std::string key(meta::kPlace);
  append_big_endian(key, first, 8);
  return key;
}

std::string encode_meta_number(std::uint64_t number) {
  std::string bytes;
  append_big_endian(bytes, number, 8);
  return bytes;
}

std::optional<std::uint64_t> decode_meta_number(std::string_view row) {
  if (row.size() != 8) return std::nullopt;
  return big_endian(row);
}

std::optional<SipKey> decode_sip_key(std::string_view row) {
  if (row.size() != 16) return std::nullopt;
  return SipKey{big_endian(row.substr(0, 8)), big_endian(row.substr(8))};
}

rocksdb::DBOptions database_options(const StoreOptions& options) {
  rocksdb::DBOptions db;
  if (options.env != nullptr) db.env = options.env;
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  db.max_total_wal_size = 64 * kMiB;
  db.allow_concurrent_memtable_write = false;  // there is one writer
  db.enable_write_thread_adaptive_yield = false;
  db.max_background_jobs = 2;
  // What flushes and compactions have written waits for the disk in small pieces, one at a time: a
  // commit's sync has to stand behind it in the disk's queue.
  db.bytes_per_sync = 128 << 10;
  db.strict_bytes_per_sync = true;
  db.compaction_readahead_size = 2 * kMiB;
  db.max_open_files = 512;
  db.max_manifest_file_size = 16 * kMiB;
  db.write_dbid_to_manifest = false;  // as 7.8 does, and 9.10 does not
  db.delayed_write_rate = 64 * kMiB;
  db.skip_stats_update_on_db_open = true;
  // A write that failed is not tried again behind our back.
  db.max_bgerror_resume_count = 0;
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  db.info_log_level = rocksdb::WARN_LEVEL;
  db.max_log_file_size = kMiB;
  db.keep_log_file_num = 3;
  if (!options.info_log) db.info_log = std::make_shared<NoInfoLog>();
  return db;
}

std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors(
    const std::shared_ptr<rocksdb::Cache>& cache) {
  auto contents = family_options(cache, 32 * kMiB, 8 << 10);
  if (has_lz4()) contents.compression = rocksdb::kLZ4Compression;
  auto notes = family_options(cache, 8 * kMiB, 8 << 10);
  // Finished tasks are deleted by the thousand in one place; this has such files compacted soon.
  const auto deletions = rocksdb::NewCompactOnDeletionCollectorFactory(8192, 4096);
  contents.table_properties_collector_factories.push_back(deletions);
  notes.table_properties_collector_factories.push_back(deletions);
  return {{rocksdb::kDefaultColumnFamilyName, family_options(cache, kMiB, 4 << 10)},
          {"log", family_options(cache, 16 * kMiB, 32 << 10)},
          {"contents", contents},
          {"notes", notes}};
}

Result<std::unique_ptr<Store>> Store::open(const std::string& dir, StoreMode mode,
                                           const StoreOptions& options, FailureLatch* latch) {
  auto db_options = database_options(options);
  db_options.create_if_missing = mode == StoreMode::create;
  db_options.create_missing_column_families = mode != StoreMode::read_only;
  if (latch != nullptr) db_options.listeners.push_back(std::make_shared<BackgroundErrors>(latch));
  std::unique_ptr<Store> store(new Store());
  auto files = wal_reading_files(db_options.env->GetFileSystem());
  if (mode != StoreMode::read_only) files = wal_space_files(files, dir, options.wal_ahead_bytes);
  store->env_ = std::make_unique<EnvOver>(db_options.env, files);
  db_options.env = store->env_.get();
  const auto families = family_descriptors(rocksdb::NewLRUCache(options.block_cache_bytes));
  rocksdb::DB* db = nullptr;
  const auto status =
      mode == StoreMode::read_only
          ? rocksdb::DB::OpenForReadOnly(db_options, dir, families, &store->families_, &db)
          : rocksdb::DB::Open(db_options, dir, families, &store->families_, &db);
  if (!status.ok()) return status_error(status, "opening the database " + dir);
  store->db_.reset(db);
  return store;
}

Store::~Store() {
  if (!db_) return;
  for (auto* family : families_) db_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
  db_->Close().PermitUncheckedError();
}

Result<std::uint64_t> Store::meta_number(std::string_view key, std::uint64_t otherwise) {
  std::string bytes;
  const auto status = db_->Get(rocksdb::ReadOptions(), meta(), key, &bytes);
  if (status.IsNotFound()) return otherwise;
  if (!status.ok()) return status_error(status, fmt::format("reading meta row {}", key));
  const auto number = decode_meta_number(bytes);
  if (!number) return storage_error(fmt::format("meta row {} is not a number", key));
  return *number;
}

Result<std::optional<SipKey>> Store::sip_key() {
  std::string bytes;
  const auto status = db_->Get(rocksdb::ReadOptions(), meta(), meta::kSipKey, &bytes);
  if (status.IsNotFound()) return std::optional<SipKey>();
  if (!status.ok()) return status_error(status, "reading meta row sipkey");
  const auto key = decode_sip_key(bytes);
  if (!key) return storage_error("meta row sipkey is not 16 bytes");
  return key;
}

Result<> Store::initialize(const SipKey& key) {
  std::string key_bytes = encode_meta_number(key[0]) + encode_meta_number(key[1]);
  std::string shard;
  append_big_endian(shard, kShard, 2);
  rocksdb::WriteBatch rows;
  auto status = rows.Put(meta(), meta::kFormat, format_row());
  if (status.ok()) status = rows.Put(meta(), meta::kShardId, shard);
  if (status.ok()) status = rows.Put(meta(), meta::kSipKey, key_bytes);
  rocksdb::WriteOptions options;
  options.sync = true;
  if (status.ok()) status = db_->Write(options, &rows);
  if (!status.ok()) return status_error(status, "writing the meta rows");
  return {};
}

Result<> Store::raise_format() {
  std::string bytes;
  auto status = db_->Get(rocksdb::ReadOptions(), meta(), meta::kFormat, &bytes);
  if (status.ok() && bytes == format_row()) return {};
  rocksdb::WriteOptions options;
  options.sync = true;
  if (status.ok() || status.IsNotFound()) {
    status = db_->Put(options, meta(), meta::kFormat, format_row());
  }
  if (!status.ok()) return status_error(status, "raising the format");
  return {};
}

Result<StreamPosition> Store::stream_position() {
  std::string bytes;
  const auto status = db_->Get(rocksdb::ReadOptions(), meta(), meta::kStream, &bytes);
  if (status.IsNotFound()) return StreamPosition{};
  if (!status.ok()) return status_error(status, "reading meta row stream");
  return decode_stream_position(bytes);
}

Result<LogEnd> Store::log_end() {
  // The newest row is never trimmed, so deletions of ranges need not be heeded; RocksDB 7.8, going
  // backward, at times stumbles over them (an assertion in MergingIterator::SkipPrevDeleted).
  rocksdb::ReadOptions options;
  options.ignore_range_deletions = true;
  const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator(options, log()));
  rows->SeekToLast();
  if (!rows->status().ok()) return status_error(rows->status(), "reading the end of the log");
  if (!rows->Valid()) return LogEnd{};
  const auto batch = decode_batch(rows->value().ToStringView());
  if (!batch) return batch.error();
  return LogEnd{batch->first, batch->last()};
}

Result<> Store::flush() {
  const auto status = db_->Flush(rocksdb::FlushOptions(), families_);
  if (!status.ok()) return status_error(status, "flushing the database");
  return {};
}

}  // namespace carillon
