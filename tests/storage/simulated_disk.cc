#include "tests/storage/simulated_disk.h"

#include <algorithm>
#include <cstring>

namespace carillon {

namespace {

using Status = SimulatedDisk::Status;

Status power_off() {
  return Status::IOError("the power is off");
}
Status no_such(const std::string& path) {
  // As the machine's own file system says it.
  return Status::PathNotFound(path, "No such file or directory");
}

constexpr std::uint64_t kSectorBytes = 512;

}  // namespace

/// Bytes that were there before something that nobody has synced.
struct SimulatedDisk::Undo {
  std::uint64_t offset = 0;
  std::string bytes;
  bool cut = false;  // they were cut off; else written over
};

struct SimulatedDisk::Node {
  bool directory = false;
  // Of a file. Bytes from `synced` on were appended since the last sync.
  bool may_be_garbage = true;
  std::string bytes;
  std::size_t synced = 0;
  std::vector<Undo> undos;  // since the last sync, oldest first
  // Of a directory. Each change since the last sync gives names new nodes, or none, at once.
  Entries entries;
  Entries durable;
  std::vector<Entries> changes;

  void change(const Entries& names) {
    changes.push_back(names);
    set(entries, names);
  }
  static void set(Entries& entries, const Entries& names) {
    for (const auto& [name, node] : names) {
      if (node) {
        entries[name] = node;
      } else {
        entries.erase(name);
      }
    }
  }
};

struct SimulatedDisk::Place {
  NodePtr directory;
  std::string name;

  [[nodiscard]] NodePtr node() const {
    if (name.empty()) return directory;
    const auto found = directory->entries.find(name);
    return found == directory->entries.end() ? nullptr : found->second;
  }
};

SimulatedDisk::SimulatedDisk(std::uint64_t seed) : random_(seed), root_(std::make_shared<Node>()) {
  const auto simulated = std::make_shared<Node>();
  root_->directory = simulated->directory = true;
  root_->entries["simulated"] = root_->durable["simulated"] = simulated;
}

SimulatedDisk::~SimulatedDisk() = default;

void SimulatedDisk::cut_power_at(std::uint64_t change) {
  const std::lock_guard guard(mutex_);
  cut_at_ = change == 0 ? 0 : changes_ + change;
}

bool SimulatedDisk::power_is_off() const {
  const std::lock_guard guard(mutex_);
  return off_;
}

std::uint64_t SimulatedDisk::changes() const {
  const std::lock_guard guard(mutex_);
  return changes_;
}

SimulatedDisk::Luck SimulatedDisk::next_change() {
  if (off_) return Luck::lost;
  off_ = ++changes_ == cut_at_;
  return off_ ? Luck::in_doubt : Luck::made;
}

// --- What survives.

void SimulatedDisk::restore_power() {
  const std::lock_guard guard(mutex_);
  root_ = survivor_of(*root_);
  locked_.clear();
  changes_ = cut_at_ = 0;
  off_ = false;
}

SimulatedDisk::NodePtr SimulatedDisk::survivor_of(const Node& node) {
  auto survivor = std::make_shared<Node>();
  survivor->directory = node.directory;
  if (node.directory) {
    for (const auto& [name, child] : surviving_entries(node)) {
      survivor->durable[name] = survivor_of(*child);
    }
    survivor->entries = survivor->durable;
  } else {
    survivor->bytes = surviving_bytes(node);
    survivor->synced = survivor->bytes.size();
  }
  return survivor;
}

SimulatedDisk::Entries SimulatedDisk::surviving_entries(const Node& directory) {
  Entries entries = directory.durable;
  const std::uint64_t luck = below(3);
  std::uint64_t survive = luck == 0 ? 0 : directory.changes.size();
  if (luck == 2) survive = below(survive + 1);
  for (std::size_t i = 0; i < survive; ++i) Node::set(entries, directory.changes[i]);
  return entries;
}

std::string SimulatedDisk::surviving_bytes(const Node& file) {
  std::string bytes = surviving_tail(file);
  for (auto undo = file.undos.rbegin(); undo != file.undos.rend(); ++undo) {
    if (!undo->cut) {
      undo_parts(bytes, *undo);
    } else if (below(2) == 0 && bytes.size() >= undo->offset &&
               bytes.size() < undo->offset + undo->bytes.size()) {
      bytes.append(undo->bytes, bytes.size() - undo->offset);
    }
  }
  return bytes;
}

void SimulatedDisk::undo_parts(std::string& bytes, const Undo& undo) {
  const std::uint64_t end = std::min<std::uint64_t>(undo.offset + undo.bytes.size(), bytes.size());
  for (std::uint64_t at = undo.offset; at < end;) {
    const std::uint64_t next = std::min(end, (at / kSectorBytes + 1) * kSectorBytes);
    const std::uint64_t luck = below(3);
    const std::uint64_t kept = luck == 0 ? next - at : luck == 1 ? 0 : below(next - at + 1);
    for (std::uint64_t byte = at + kept; byte < next; ++byte) {
      bytes[byte] = undo.bytes[byte - undo.offset];
    }
    at = next;
  }
}

std::string SimulatedDisk::surviving_tail(const Node& file) {
  std::string bytes = file.bytes;
  if (file.synced == bytes.size()) return bytes;
  const std::size_t unsynced = bytes.size() - file.synced;
  const std::size_t tail = below(3) == 0 ? unsynced : below(unsynced + 1);
  bytes.resize(file.synced + tail);
  if (tail == 0 || !file.may_be_garbage || below(4) != 0) return bytes;
  const bool zeros = below(2) == 0;
  for (std::size_t at = file.synced + below(tail); at < bytes.size(); ++at) {
    bytes[at] = zeros ? '\0' : static_cast<char>(random_());
  }
  return bytes;
}

// --- Names.

Status SimulatedDisk::locate(const std::string& path, Place* place) const {
  *place = {root_, {}};
  for (std::size_t from = 0; from < path.size();) {
    const std::size_t end = std::min(path.find('/', from), path.size());
    const std::string name = path.substr(from, end - from);
    from = end + 1;
    if (name.empty()) continue;
    const NodePtr parent = place->node();
    if (!parent || !parent->directory) return no_such(path);
    *place = {parent, name};
  }
  return Status::OK();
}

/// Of a file that is there, and of its new name.
Status SimulatedDisk::locate_both(const std::string& from, const std::string& to, Place* source,
                                  Place* goal) const {
  Status status = locate(from, source);
  if (status.ok()) status = locate(to, goal);
  return status.ok() && !source->node() ? no_such(from) : status;
}

Status SimulatedDisk::find(const std::string& path, NodePtr* node) const {
  const std::lock_guard guard(mutex_);
  if (off_) return power_off();
  Place place;
  if (const Status status = locate(path, &place); !status.ok()) return status;
  *node = place.node();
  return *node ? Status::OK() : no_such(path);
}

Status SimulatedDisk::create_file(const std::string& path, NodePtr* file) {
  const std::lock_guard guard(mutex_);
  const Luck luck = next_change();
  if (luck == Luck::lost) return power_off();
  Place place;
  if (const Status status = locate(path, &place); !status.ok()) return status;
  *file = std::make_shared<Node>();
  (*file)->may_be_garbage = !place.name.starts_with("MANIFEST");
  place.directory->change({{place.name, *file}});
  return luck == Luck::made ? Status::OK() : power_off();
}

Status SimulatedDisk::create_directory(const std::string& path) {
  const std::lock_guard guard(mutex_);
  const Luck luck = next_change();
  if (luck == Luck::lost) return power_off();
  Place place;
  if (const Status status = locate(path, &place); !status.ok()) return status;
  if (place.node()) return Status::IOError(path, "File exists");
  const auto made = std::make_shared<Node>();
  made->directory = true;
  place.directory->change({{place.name, made}});
  return luck == Luck::made ? Status::OK() : power_off();
}

Status SimulatedDisk::remove(const std::string& path) {
  const std::lock_guard guard(mutex_);
  const Luck luck = next_change();
  if (luck == Luck::lost) return power_off();
  Place place;
  if (const Status status = locate(path, &place); !status.ok()) return status;
  const NodePtr node = place.node();
  if (!node) return no_such(path);
  if (!node->entries.empty()) return Status::IOError(path, "Directory not empty");
  place.directory->change({{place.name, nullptr}});
  return luck == Luck::made ? Status::OK() : power_off();
}

Status SimulatedDisk::rename(const std::string& from, const std::string& to) {
  const std::lock_guard guard(mutex_);
  const Luck luck = next_change();
  if (luck == Luck::lost) return power_off();
  Place source;
  Place goal;
  if (const Status status = locate_both(from, to, &source, &goal); !status.ok()) return status;
  const NodePtr node = source.node();
  if (source.directory != goal.directory) return Status::NotSupported("rename to " + to);
  source.directory->change({{source.name, nullptr}, {goal.name, node}});
  return luck == Luck::made ? Status::OK() : power_off();
}

Status SimulatedDisk::link(const std::string& from, const std::string& to) {
  const std::lock_guard guard(mutex_);
  const Luck luck = next_change();
  if (luck == Luck::lost) return power_off();
  Place source;
  Place goal;
  if (const Status status = locate_both(from, to, &source, &goal); !status.ok()) return status;
  const NodePtr node = source.node();
  if (goal.node()) return Status::IOError(to, "File exists");
  goal.directory->change({{goal.name, node}});
  return luck == Luck::made ? Status::OK() : power_off();
}

Status SimulatedDisk::list(const std::string& path, std::vector<std::string>* names) const {
  NodePtr directory;
  if (const Status status = find(path, &directory); !status.ok()) return status;
  const std::lock_guard guard(mutex_);
  names->clear();
  for (const auto& [name, node] : directory->entries) names->push_back(name);
  return Status::OK();
}

Status SimulatedDisk::sync_directory(const NodePtr& directory) {
  const std::lock_guard guard(mutex_);
  if (next_change() != Luck::made) return power_off();
  directory->durable = directory->entries;
  directory->changes.clear();
  return Status::OK();
}

Status SimulatedDisk::lock(const std::string& path) {
  const std::lock_guard guard(mutex_);
  if (off_) return power_off();
  return locked_.insert(path).second ? Status::OK() : Status::IOError(path, "locked already");
}

Status SimulatedDisk::unlock(const std::string& path) {
  const std::lock_guard guard(mutex_);
  locked_.erase(path);
  return Status::OK();
}

// --- Files.

Status SimulatedDisk::read(const NodePtr& file, std::uint64_t offset, std::size_t length, char* to,
                           rocksdb::Slice* result) const {
  const std::lock_guard guard(mutex_);
  *result = rocksdb::Slice();
  if (off_) return power_off();
  if (offset >= file->bytes.size()) return Status::OK();
  const std::size_t count = std::min<std::uint64_t>(length, file->bytes.size() - offset);
  std::memcpy(to, file->bytes.data() + offset, count);
  *result = rocksdb::Slice(to, count);
  return Status::OK();
}

Status SimulatedDisk::size(const NodePtr& file, std::uint64_t* bytes) const {
  const std::lock_guard guard(mutex_);
  *bytes = file->bytes.size();
  return off_ ? power_off() : Status::OK();
}

bool SimulatedDisk::is_directory(const NodePtr& node) {
  return node->directory;
}

Status SimulatedDisk::append(const NodePtr& file, const rocksdb::Slice& bytes) {
  const std::lock_guard guard(mutex_);
  const Luck luck = next_change();
  if (luck == Luck::lost) return power_off();
  file->bytes.append(bytes.data(), bytes.size());
  return luck == Luck::made ? Status::OK() : power_off();
}

Status SimulatedDisk::write(const NodePtr& file, std::uint64_t offset,
                            const rocksdb::Slice& bytes) {
  const std::lock_guard guard(mutex_);
  const Luck luck = next_change();
  if (luck == Luck::lost) return power_off();
  if (offset < file->synced) {
    file->undos.push_back({offset, file->bytes.substr(offset, bytes.size())});
  }
  if (file->bytes.size() < offset + bytes.size()) file->bytes.resize(offset + bytes.size());
  file->bytes.replace(offset, bytes.size(), bytes.data(), bytes.size());
  return luck == Luck::made ? Status::OK() : power_off();
}

Status SimulatedDisk::truncate(const NodePtr& file, std::uint64_t bytes) {
  const std::lock_guard guard(mutex_);
  const Luck luck = next_change();
  if (luck == Luck::lost) return power_off();
  if (bytes < file->synced) file->undos.push_back({bytes, file->bytes.substr(bytes), true});
  file->bytes.resize(bytes);
  file->synced = std::min<std::size_t>(file->synced, bytes);
  return luck == Luck::made ? Status::OK() : power_off();
}

Status SimulatedDisk::sync(const NodePtr& file) {
  const std::lock_guard guard(mutex_);
  if (next_change() != Luck::made) return power_off();
  file->synced = file->bytes.size();
  file->undos.clear();
  return Status::OK();
}

}  // namespace carillon
