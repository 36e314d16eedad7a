// Space ahead of the write-ahead log: zeros that are on the disk before the log comes to them.
//
// Why: a commit is an append to RocksDB's write-ahead log and an fdatasync. Appending makes the
// file longer, and fdatasync then has to wait for the file system's journal as well. Written over
// bytes that are on the disk already, the same append leaves nothing but pages of data to sync.
// Measured (ext4, 2 cores, 8 KiB a time, machine quiet): 97 to 109 us of mean instead of 144 to
// 179, and a third less processor time; what that is of a server's whole commit is in
// ARCHITECTURE.md. Space that fallocate reserved does not help: it is turned into written space by
// way of the journal.
//
// Operation: in front of a database's file system. A log file is kept longer than what was appended
// to it; the rest is zeros. When half of what lay ahead is used up, a thread writes and syncs more,
// in pages, so that the kernel caches them as pages (larger ones are counted as written whole
// whenever a commit touches them). A busy log has more ahead, up to eight times `ahead_bytes`; one
// that grows by more than 50 MiB a second none, as its commits are large. A log that comes to the
// end of its space appends as it would without it; so it does for good when zeros cannot be
// written, which is no error: on a full disk that is all that happens. Closing cuts the zeros off;
// after a crash they stay. All readers take them for what they are, as they do the zeros of
// RocksDB's own preallocation: its recovery skips them, carillon-replay calls them no damage, and a
// record torn in front of them ends recovery as a torn record at the end of the file does.
//
// What is promised does not rest on the zeros: each commit is still written and then synced through
// the log's own descriptor, and fdatasync includes the journal wherever the length of the file or
// the place of its blocks is not on the disk yet. That descriptor also hears of zeros whose writing
// failed after they were taken.
//
// Concurrency: files as RocksDB's own; one thread for the space of all. Zeros are only written
// behind the end of what was appended and of the zeros that are there, under a lock that an append
// takes too where it goes beyond that end.
//
// Limitations: each byte of the log is written twice. The length of a log that is being written is
// the true one for RocksDB, which copies that much into a checkpoint; whoever looks at the
// directory sees the zeros.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace rocksdb {
class FileSystem;
}  // namespace rocksdb

namespace carillon {

/// The same files, with space ahead of the write-ahead logs of the database in `dir`: at first so
/// much, at most eight times that.
[[nodiscard]] std::shared_ptr<rocksdb::FileSystem> wal_space_files(
    const std::shared_ptr<rocksdb::FileSystem>& files, const std::string& dir,
    std::uint64_t ahead_bytes);

}  // namespace carillon
