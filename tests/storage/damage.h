// Breaking files of a data directory on purpose, and looking at what is in it.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include "storage/synced_mark.h"
#include "tests/storage/log_fixture.h"

namespace carillon {

inline std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// Every file below `dir` with its bytes, LOCK files left out.
inline std::map<std::string, std::string> files_of(const std::string& dir) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    if (!entry.is_regular_file() || entry.path().filename() == "LOCK") continue;
    files[entry.path().string()] = read_bytes(entry.path());
  }
  return files;
}

/// The largest file in `dir` whose name ends so.
inline std::string largest(const std::string& dir, const std::string& suffix) {
  std::string found;
  std::uintmax_t size = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    if (!entry.path().string().ends_with(suffix) || entry.file_size() < size) continue;
    found = entry.path();
    size = entry.file_size();
  }
  EXPECT_NE(found, "") << dir << " has no " << suffix;
  return found;
}

/// Where the records of a write-ahead log end and the zeros behind them begin.
inline std::size_t end_of_wal(const std::string& path) {
  return read_bytes(path).find_last_not_of('\0') + 1;
}

/// Takes the zeros behind the records away.
inline void trim_wal(const std::string& path) {
  std::filesystem::resize_file(path, end_of_wal(path));
}

inline void flip_bit(const std::string& path, std::size_t at) {
  std::string bytes = read_bytes(path);
  ASSERT_LT(at, bytes.size());
  bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
  write_bytes(path, bytes);
}

/// Waits until the mark of `dir` says `sequence`, as it does a moment after the last commit.
inline void wait_for_mark(const std::string& dir, Sequence sequence) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < deadline) {
    const auto mark = SyncedMark::read(rocksdb::Env::Default(), dir + "/SYNCED");
    if (mark && *mark == sequence) return;
    std::this_thread::yield();
  }
  FAIL() << "the mark never said " << sequence;
}

/// Waits until there is space ahead of the write-ahead log of `dir`, as there is a moment after its
/// beginning.
inline void wait_for_space(const std::string& dir) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < deadline) {
    if (std::filesystem::file_size(largest(dir + "/db", ".log")) >= 1 << 20) return;
    std::this_thread::yield();
  }
  FAIL() << "no space was written ahead";
}

/// A data directory as kill -9 leaves it, with `batches` batches of ten Puts in its write-ahead
/// log, all synced and marked.
inline void make_crashed(const std::string& dir, Sequence batches,
                         std::string_view body = "hello") {
  const TempDir temp;
  LogHarness harness(temp / "data");
  ASSERT_TRUE(harness.log) << harness.error;
  for (Sequence i = 0; i < batches; ++i) {
    ASSERT_TRUE(harness.append(put_batch(1 + 10 * i, 10, body)));
  }
  wait_for_mark(temp / "data", 10 * batches);
  wait_for_space(temp / "data");
  std::filesystem::copy(temp / "data", dir, std::filesystem::copy_options::recursive);
}

/// The same, stopped in order: everything is in tables, the write-ahead log is empty.
inline void make_stopped(const std::string& dir, Sequence batches,
                         std::string_view body = "hello") {
  LogHarness harness(dir);
  ASSERT_TRUE(harness.log) << harness.error;
  for (Sequence i = 0; i < batches; ++i) {
    ASSERT_TRUE(harness.append(put_batch(1 + 10 * i, 10, body)));
  }
  harness.log->close();
}

}  // namespace carillon
