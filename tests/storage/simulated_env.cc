#include "tests/storage/simulated_env.h"

#include <thread>

#include <rocksdb/file_system.h>
#include <rocksdb/system_clock.h>

namespace carillon {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;
using Node = SimulatedDisk::NodePtr;

class SequentialFile final : public rocksdb::FSSequentialFile {
 public:
  SequentialFile(SimulatedDisk& disk, Node node) : disk_(disk), node_(std::move(node)) {}

  IOStatus Read(size_t length, const IOOptions&, Slice* result, char* to,
                IODebugContext*) override {
    const IOStatus status = disk_.read(node_, at_, length, to, result);
    at_ += result->size();
    return status;
  }
  IOStatus Skip(uint64_t count) override {
    at_ += count;
    return IOStatus::OK();
  }

 private:
  SimulatedDisk& disk_;
  Node node_;
  std::uint64_t at_ = 0;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
  RandomAccessFile(SimulatedDisk& disk, Node node) : disk_(disk), node_(std::move(node)) {}

  IOStatus Read(uint64_t offset, size_t length, const IOOptions&, Slice* result, char* to,
                IODebugContext*) const override {
    return disk_.read(node_, offset, length, to, result);
  }

 private:
  SimulatedDisk& disk_;
  Node node_;
};

class WritableFile final : public rocksdb::FSWritableFile {
 public:
  WritableFile(SimulatedDisk& disk, Node node) : disk_(disk), node_(std::move(node)) {}

  using FSWritableFile::Append;
  IOStatus Append(const Slice& bytes, const IOOptions&, IODebugContext*) override {
    return disk_.append(node_, bytes);
  }
  IOStatus PositionedAppend(const Slice& bytes, uint64_t offset, const IOOptions&,
                            IODebugContext*) override {
    return disk_.write(node_, offset, bytes);
  }
  IOStatus Truncate(uint64_t bytes, const IOOptions&, IODebugContext*) override {
    return disk_.truncate(node_, bytes);
  }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return disk_.sync(node_); }
  [[nodiscard]] bool IsSyncThreadSafe() const override { return true; }
  // What is written is with the kernel at once.
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override {
    std::uint64_t bytes = 0;
    disk_.size(node_, &bytes).PermitUncheckedError();
    return bytes;
  }

 private:
  SimulatedDisk& disk_;
  Node node_;
};

class RandomRWFile final : public rocksdb::FSRandomRWFile {
 public:
  RandomRWFile(SimulatedDisk& disk, Node node) : disk_(disk), node_(std::move(node)) {}

  IOStatus Write(uint64_t offset, const Slice& bytes, const IOOptions&, IODebugContext*) override {
    return disk_.write(node_, offset, bytes);
  }
  IOStatus Read(uint64_t offset, size_t length, const IOOptions&, Slice* result, char* to,
                IODebugContext*) const override {
    return disk_.read(node_, offset, length, to, result);
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return disk_.sync(node_); }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  SimulatedDisk& disk_;
  Node node_;
};

class Directory final : public rocksdb::FSDirectory {
 public:
  Directory(SimulatedDisk& disk, Node node) : disk_(disk), node_(std::move(node)) {}

  IOStatus Fsync(const IOOptions&, IODebugContext*) override { return disk_.sync_directory(node_); }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  SimulatedDisk& disk_;
  Node node_;
};

class Lock final : public rocksdb::FileLock {
 public:
  explicit Lock(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// RocksDB's own messages go nowhere.
class NoLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
  [[nodiscard]] size_t GetLogFileSize() const override { return 0; }
};

class SimulatedFs final : public rocksdb::FileSystem {
 public:
  explicit SimulatedFs(SimulatedDisk& disk) : disk_(disk) {}
  const char* Name() const override { return "SimulatedFs"; }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions&,
                             std::unique_ptr<rocksdb::FSSequentialFile>* file,
                             IODebugContext*) override {
    return open<SequentialFile>(path, file);
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions&,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                               IODebugContext*) override {
    return open<RandomAccessFile>(path, file);
  }
  IOStatus NewRandomRWFile(const std::string& path, const FileOptions&,
                           std::unique_ptr<rocksdb::FSRandomRWFile>* file,
                           IODebugContext*) override {
    return open<RandomRWFile>(path, file);
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions&,
                        std::unique_ptr<rocksdb::FSDirectory>* directory,
                        IODebugContext*) override {
    return open<Directory>(path, directory);
  }
  IOStatus NewWritableFile(const std::string& path, const FileOptions&,
                           std::unique_ptr<rocksdb::FSWritableFile>* file,
                           IODebugContext*) override {
    Node node;
    const IOStatus status = disk_.create_file(path, &node);
    if (status.ok()) *file = std::make_unique<WritableFile>(disk_, node);
    return status;
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions&,
                              std::unique_ptr<rocksdb::FSWritableFile>* file,
                              IODebugContext*) override {
    return open<WritableFile>(path, file);
  }

  IOStatus FileExists(const std::string& path, const IOOptions&, IODebugContext*) override {
    Node node;
    const IOStatus status = disk_.find(path, &node);
    return status.IsPathNotFound() ? IOStatus::NotFound() : status;
  }
  IOStatus GetChildren(const std::string& path, const IOOptions&, std::vector<std::string>* names,
                       IODebugContext*) override {
    const IOStatus status = disk_.list(path, names);
    return status.IsPathNotFound() ? IOStatus::NotFound() : status;
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) override {
    return disk_.remove(path);
  }
  IOStatus Truncate(const std::string& path, size_t bytes, const IOOptions&,
                    IODebugContext*) override {
    Node node;
    const IOStatus status = disk_.find(path, &node);
    return status.ok() ? disk_.truncate(node, bytes) : status;
  }
  IOStatus CreateDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    return disk_.create_directory(path);
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions& options,
                              IODebugContext* debug) override {
    const IOStatus there = FileExists(path, options, debug);
    return there.IsNotFound() ? disk_.create_directory(path) : there;
  }
  IOStatus DeleteDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    return disk_.remove(path);
  }
  IOStatus GetFileSize(const std::string& path, const IOOptions&, uint64_t* bytes,
                       IODebugContext*) override {
    Node node;
    const IOStatus status = disk_.find(path, &node);
    return status.ok() ? disk_.size(node, bytes) : status;
  }
  IOStatus GetFileModificationTime(const std::string&, const IOOptions&, uint64_t* time,
                                   IODebugContext*) override {
    *time = 0;
    return IOStatus::OK();
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&,
                      IODebugContext*) override {
    return disk_.rename(from, to);
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions&,
                    IODebugContext*) override {
    return disk_.link(from, to);
  }
  IOStatus LockFile(const std::string& path, const IOOptions&, rocksdb::FileLock** lock,
                    IODebugContext*) override {
    const IOStatus status = disk_.lock(path);
    if (status.ok()) *lock = new Lock(path);
    return status;
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
    const std::unique_ptr<Lock> owned(static_cast<Lock*>(lock));
    return disk_.unlock(owned->path());
  }
  IOStatus GetTestDirectory(const IOOptions&, std::string* path, IODebugContext*) override {
    *path = "/simulated";
    return IOStatus::OK();
  }
  IOStatus NewLogger(const std::string&, const IOOptions&, std::shared_ptr<rocksdb::Logger>* logger,
                     IODebugContext*) override {
    *logger = std::make_shared<NoLogger>();
    return IOStatus::OK();
  }
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions&, std::string* absolute,
                           IODebugContext*) override {
    *absolute = path;
    return IOStatus::OK();
  }
  IOStatus IsDirectory(const std::string& path, const IOOptions&, bool* is_directory,
                       IODebugContext*) override {
    Node node;
    const IOStatus status = disk_.find(path, &node);
    if (status.ok()) *is_directory = SimulatedDisk::is_directory(node);
    return status;
  }

 private:
  template <class File, class Base>
  IOStatus open(const std::string& path, std::unique_ptr<Base>* file) {
    Node node;
    const IOStatus status = disk_.find(path, &node);
    if (status.ok()) *file = std::make_unique<File>(disk_, node);
    return status;
  }

  SimulatedDisk& disk_;
};

/// RocksDB pauses for a second after a failure in the background, which every cut is.
class HurriedClock final : public rocksdb::SystemClockWrapper {
 public:
  HurriedClock() : SystemClockWrapper(rocksdb::SystemClock::Default()) {}
  const char* Name() const override { return "HurriedClock"; }
  void SleepForMicroseconds(int) override { std::this_thread::yield(); }
};

/// Threads and time are the machine's.
class SimulatedEnv final : public rocksdb::EnvWrapper {
 public:
  explicit SimulatedEnv(const std::shared_ptr<SimulatedFs>& files)
      : EnvWrapper(rocksdb::NewCompositeEnv(files)) {
    file_system_ = files;
    system_clock_ = std::make_shared<HurriedClock>();
  }
};

}  // namespace

std::unique_ptr<rocksdb::Env> simulated_env(SimulatedDisk& disk) {
  return std::make_unique<SimulatedEnv>(std::make_shared<SimulatedFs>(disk));
}

}  // namespace carillon
