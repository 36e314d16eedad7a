#include "storage/wal_space.h"

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>

#include <rocksdb/file_system.h>

#include "storage/worker.h"

namespace carillon {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;
using std::chrono::steady_clock;

/// Zeros are written by the page.
constexpr std::uint64_t kPageBytes = 4 << 10;
/// Synced in one go: a commit's sync has to stand behind it in the disk's queue.
constexpr std::uint64_t kSyncBytes = 256 << 10;
/// The most that lies ahead of a busy log, in terms of what lies ahead of any.
constexpr std::uint64_t kBusyFactor = 8;
/// A log that grows by more in so long has large commits, to which the zeros cost more than they
/// save: batches at full rate were 9 % slower with them.
constexpr std::chrono::milliseconds kWindow{100};
constexpr std::uint64_t kWindowBytes = 5 << 20;
/// Half of what lies ahead used up in less: twice as much is prepared.
constexpr std::chrono::milliseconds kHasty{500};

/// What lies ahead in one log file.
class WalSpace {
 public:
  WalSpace(std::unique_ptr<rocksdb::FSRandomRWFile> file, std::uint64_t ahead_bytes)
      : file_(std::move(file)), ahead_max_(kBusyFactor * ahead_bytes), ahead_(ahead_bytes) {}

  [[nodiscard]] std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t end() const { return end_.load(std::memory_order_acquire); }

  /// Appends by `write`, which is given the place. One thread at a time.
  template <class Write>
  IOStatus append(std::uint64_t bytes, Write write) {
    const std::uint64_t at = used();
    std::unique_lock lock(mutex_, std::defer_lock);
    // Zeros are only ever written behind the end.
    if (at + bytes > end()) lock.lock();
    IOStatus status = write(at);
    if (!status.ok()) return status;
    used_.store(at + bytes, std::memory_order_relaxed);
    if (at + bytes > end()) end_.store(at + bytes, std::memory_order_release);
    return status;
  }

  /// True: somebody has to prepare space, and then call `prepare`.
  [[nodiscard]] bool wants_space() {
    const auto now = steady_clock::now();
    if (now - window_began_ >= kWindow) {
      too_busy_ = used() - window_used_ > kWindowBytes;
      window_used_ = used();
      window_began_ = now;
    }
    if (too_busy_ || end() - used() >= ahead_ / 2 || given_up_ || busy_.exchange(true))
      return false;
    if (now - wanted_at_ < kHasty) ahead_ = std::min(2 * ahead_, ahead_max_);
    wanted_at_ = now;
    return true;
  }
  void prepare() {
    const std::uint64_t goal = used() + ahead_;
    IOStatus status;
    while (status.ok() && end() < goal) {
      status = write_zeros();
      if (status.ok() && (end() >= goal || end() % kSyncBytes == 0)) {
        status = file_->Sync(IOOptions(), nullptr);
      }
    }
    if (!status.ok()) give_up();
    busy_ = false;
  }
  /// No zeros are written from now on.
  void give_up() {
    const std::lock_guard lock(mutex_);
    given_up_ = true;
  }

 private:
  IOStatus write_zeros() {
    static constexpr std::array<char, kPageBytes> kZeros{};
    const std::lock_guard lock(mutex_);
    if (given_up_) return IOStatus::Aborted();
    const std::uint64_t from = end();
    const std::uint64_t bytes = kPageBytes - from % kPageBytes;
    const auto status = file_->Write(from, Slice(kZeros.data(), bytes), IOOptions(), nullptr);
    if (status.ok()) end_.store(from + bytes, std::memory_order_release);
    return status;
  }

  std::mutex mutex_;  // held where something is written at the end
  std::unique_ptr<rocksdb::FSRandomRWFile> file_;
  const std::uint64_t ahead_max_;
  std::atomic<std::uint64_t> used_ = 0;  // appended by the log
  std::atomic<std::uint64_t> end_ = 0;   // of what was appended and the zeros behind it
  std::atomic<std::uint64_t> ahead_;
  std::atomic<bool> busy_ = false;
  std::atomic<bool> given_up_ = false;
  // Of the thread that appends.
  steady_clock::time_point wanted_at_{};
  steady_clock::time_point window_began_{};
  std::uint64_t window_used_ = 0;
  bool too_busy_ = false;
};

class WalFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  WalFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::shared_ptr<WalSpace> space,
          Worker& worker)
      : FSWritableFileOwnerWrapper(std::move(file)), space_(std::move(space)), worker_(worker) {
    want_space();
  }
  ~WalFile() override { space_->give_up(); }

  IOStatus Append(const Slice& bytes, const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = space_->append(bytes.size(), [&](std::uint64_t at) {
      return target()->PositionedAppend(bytes, at, options, debug);
    });
    want_space();
    return status;
  }
  IOStatus Append(const Slice& bytes, const IOOptions& options,
                  const rocksdb::DataVerificationInfo&, IODebugContext* debug) override {
    return Append(bytes, options, debug);
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    space_->give_up();
    // Zeros at the end do no harm, so it is none if they stay.
    if (space_->end() > space_->used()) {
      target()->Truncate(space_->used(), options, debug).PermitUncheckedError();
    }
    return FSWritableFileOwnerWrapper::Close(options, debug);
  }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return space_->used(); }
  void PrepareWrite(size_t, size_t, const IOOptions&, IODebugContext*) override {}

 private:
  void want_space() {
    if (!space_->wants_space()) return;
    worker_.post([space = space_] { space->prepare(); });
  }

  std::shared_ptr<WalSpace> space_;
  Worker& worker_;
};

class WalSpaceFs final : public rocksdb::FileSystemWrapper {
 public:
  WalSpaceFs(const std::shared_ptr<rocksdb::FileSystem>& files, const std::string& dir,
             std::uint64_t ahead_bytes)
      : FileSystemWrapper(files), prefix_(dir + "/"), ahead_bytes_(ahead_bytes) {}
  const char* Name() const override { return "WalSpaceFs"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* file,
                           IODebugContext* debug) override {
    auto status = FileSystemWrapper::NewWritableFile(path, options, file, debug);
    if (!status.ok() || !path.starts_with(prefix_) || !path.ends_with(".log")) return status;
    std::unique_ptr<rocksdb::FSRandomRWFile> ahead;
    if (!NewRandomRWFile(path, options, &ahead, debug).ok()) return status;
    auto space = std::make_shared<WalSpace>(std::move(ahead), ahead_bytes_);
    {
      const std::lock_guard lock(mutex_);
      std::erase_if(spaces_, [](const auto& entry) { return entry.second.expired(); });
      spaces_[path] = space;
    }
    *file = std::make_unique<WalFile>(std::move(*file), std::move(space), worker_);
    return status;
  }
  IOStatus GetFileSize(const std::string& path, const IOOptions& options, uint64_t* bytes,
                       IODebugContext* debug) override {
    {
      const std::lock_guard lock(mutex_);
      const auto found = spaces_.find(path);
      if (const auto space = found == spaces_.end() ? nullptr : found->second.lock()) {
        *bytes = space->used();
        return IOStatus::OK();
      }
    }
    return FileSystemWrapper::GetFileSize(path, options, bytes, debug);
  }

 private:
  const std::string prefix_;
  const std::uint64_t ahead_bytes_;
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<WalSpace>> spaces_;
  Worker worker_{"wal space"};
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> wal_space_files(
    const std::shared_ptr<rocksdb::FileSystem>& files, const std::string& dir,
    std::uint64_t ahead_bytes) {
  return std::make_shared<WalSpaceFs>(files, dir, ahead_bytes);
}

}  // namespace carillon
