// A file system under RocksDB that fails or holds back what a test names.
#pragma once

#include <atomic>
#include <memory>
#include <semaphore>
#include <string>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

namespace carillon {

/// What goes wrong; shared with the files.
struct Faults {
  std::atomic<bool> fail_sync = false;
  std::atomic<bool> fail_append = false;
  std::atomic<bool> fail_mark = false;
  /// Only files whose name ends so are hit by the first two and `hold_sync`.
  std::string suffix = ".log";
  std::atomic<bool> hold_sync = false;
  std::binary_semaphore held{0};     // a sync has begun and waits
  std::binary_semaphore release{0};  // lets it go on
};

inline rocksdb::IOStatus no_such_luck() {
  return rocksdb::IOStatus::IOError("injected by the test");
}

class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(std::unique_ptr<rocksdb::FSWritableFile>&& file, Faults& faults)
      : FSWritableFileOwnerWrapper(std::move(file)), faults_(faults) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    if (faults_.fail_append) return no_such_luck();
    return FSWritableFileOwnerWrapper::Append(data, options, debug);
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& verification,
                           rocksdb::IODebugContext* debug) override {
    if (faults_.fail_append) return no_such_luck();
    return FSWritableFileOwnerWrapper::Append(data, options, verification, debug);
  }
  rocksdb::IOStatus PositionedAppend(const rocksdb::Slice& data, uint64_t offset,
                                     const rocksdb::IOOptions& options,
                                     rocksdb::IODebugContext* debug) override {
    if (faults_.fail_append) return no_such_luck();
    return FSWritableFileOwnerWrapper::PositionedAppend(data, offset, options, debug);
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                         rocksdb::IODebugContext* debug) override {
    if (faults_.hold_sync.exchange(false)) {
      faults_.held.release();
      faults_.release.acquire();
    }
    if (faults_.fail_sync) return no_such_luck();
    return FSWritableFileOwnerWrapper::Sync(options, debug);
  }

 private:
  Faults& faults_;
};

class FaultyMark final : public rocksdb::FSRandomRWFileOwnerWrapper {
 public:
  FaultyMark(std::unique_ptr<rocksdb::FSRandomRWFile>&& file, Faults& faults)
      : FSRandomRWFileOwnerWrapper(std::move(file)), faults_(faults) {}

  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                         rocksdb::IODebugContext* debug) override {
    if (faults_.fail_mark) return no_such_luck();
    return FSRandomRWFileOwnerWrapper::Sync(options, debug);
  }

 private:
  Faults& faults_;
};

class FaultyFs final : public rocksdb::FileSystemWrapper {
 public:
  explicit FaultyFs(Faults& faults)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), faults_(faults) {}
  const char* Name() const override { return "FaultyFs"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    auto status = FileSystemWrapper::NewWritableFile(name, options, file, debug);
    if (status.ok() && name.ends_with(faults_.suffix)) {
      *file = std::make_unique<FaultyFile>(std::move(*file), faults_);
    }
    return status;
  }
  rocksdb::IOStatus NewRandomRWFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    auto status = FileSystemWrapper::NewRandomRWFile(name, options, file, debug);
    if (status.ok()) *file = std::make_unique<FaultyMark>(std::move(*file), faults_);
    return status;
  }

 private:
  Faults& faults_;
};

/// An environment over `faults`, which must outlive it.
inline std::unique_ptr<rocksdb::Env> faulty_env(Faults& faults) {
  return rocksdb::NewCompositeEnv(std::make_shared<FaultyFs>(faults));
}

}  // namespace carillon
