// A disk in memory whose power can be cut, and which then forgets what nobody had made sure of.
//
// Operation: bytes that were not synced since they were written, and names that were made, renamed
// or deleted since their directory was synced, are there for whoever looks, until the power goes.
// What is left of them then is a matter of luck, drawn from a seed: of a file's tail a prefix, at
// times ending in garbage; of bytes written over others any of their sectors, each whole or torn;
// of what was cut off all or nothing; of a directory's changes none, all or the first few, as a
// journal keeps their order. Files and directories owe each other none. A sync in the middle of
// which the power goes has done nothing for certain.
//
// The power goes at a change that the test chooses by its number. That change fails, although it
// may have reached the disk, and so does everything after it until `restore_power`.
//
// Concurrency: any thread, but for restore_power: what had files open is gone by then.
//
// Limitations: a rename between two directories is refused. Two names of one file may find
// different luck. A MANIFEST loses its tail but never ends in garbage, with which RocksDB refuses
// to open it (tests of damage have that).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <rocksdb/io_status.h>
#include <rocksdb/slice.h>

namespace carillon {

class SimulatedDisk {
 public:
  using Status = rocksdb::IOStatus;
  /// A file or a directory, whatever its names. Opaque to users, who hold it as an open file.
  struct Node;
  using NodePtr = std::shared_ptr<Node>;

  /// Has one directory, /simulated, whose name is durable.
  explicit SimulatedDisk(std::uint64_t seed);
  ~SimulatedDisk();

  // --- Power.
  /// The `change`-th change from now on fails, and the power is off; 0: it stays on.
  void cut_power_at(std::uint64_t change);
  [[nodiscard]] bool power_is_off() const;
  /// What survived becomes what is there, durably, with the power on.
  void restore_power();
  /// Changes since the power came on.
  [[nodiscard]] std::uint64_t changes() const;

  // --- Names. Paths are absolute.
  Status find(const std::string& path, NodePtr* node) const;
  /// An empty file of that name, whatever was there before.
  Status create_file(const std::string& path, NodePtr* file);
  Status create_directory(const std::string& path);
  Status remove(const std::string& path);
  Status rename(const std::string& from, const std::string& to);
  Status link(const std::string& from, const std::string& to);
  Status list(const std::string& path, std::vector<std::string>* names) const;
  Status sync_directory(const NodePtr& directory);
  Status lock(const std::string& path);
  Status unlock(const std::string& path);

  // --- Files.
  Status read(const NodePtr& file, std::uint64_t offset, std::size_t length, char* to,
              rocksdb::Slice* result) const;
  Status size(const NodePtr& file, std::uint64_t* bytes) const;
  [[nodiscard]] static bool is_directory(const NodePtr& node);
  Status append(const NodePtr& file, const rocksdb::Slice& bytes);
  /// Over what is there, or beyond it.
  Status write(const NodePtr& file, std::uint64_t offset, const rocksdb::Slice& bytes);
  Status truncate(const NodePtr& file, std::uint64_t bytes);
  Status sync(const NodePtr& file);

 private:
  struct Place;  // a name in a directory
  struct Undo;
  void undo_parts(std::string& bytes, const Undo& undo);
  using Entries = std::map<std::string, NodePtr>;

  /// What becomes of a change: it is made, made although the power goes, or not made at all.
  enum class Luck { made, in_doubt, lost };
  [[nodiscard]] Luck next_change();
  [[nodiscard]] Status locate(const std::string& path, Place* place) const;
  [[nodiscard]] Status locate_both(const std::string& from, const std::string& to, Place* source,
                                   Place* goal) const;
  [[nodiscard]] NodePtr survivor_of(const Node& node);
  [[nodiscard]] std::string surviving_bytes(const Node& file);
  [[nodiscard]] std::string surviving_tail(const Node& file);
  [[nodiscard]] Entries surviving_entries(const Node& directory);
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  NodePtr root_;
  std::set<std::string> locked_;
  std::uint64_t changes_ = 0;
  std::uint64_t cut_at_ = 0;
  bool off_ = false;
};

}  // namespace carillon
