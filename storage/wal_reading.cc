#include "storage/wal_reading.h"

#include <cstring>

#include <rocksdb/file_system.h>

namespace carillon {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// https://github.com/facebook/rocksdb/wiki/Write-Ahead-Log-File-Format
constexpr std::uint64_t kBlockBytes = 32 << 10;
constexpr unsigned char kNothing = 0;  // zeros
constexpr unsigned char kWhole = 1;    // a record that is one fragment
constexpr unsigned char kLast = 4;     // the last fragment of one; the kinds between are its others

std::uint64_t block_after(std::uint64_t at) {
  return (at / kBlockBytes + 1) * kBlockBytes;
}

class WalReader final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  using FSSequentialFileOwnerWrapper::FSSequentialFileOwnerWrapper;

  IOStatus Read(size_t bytes, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* debug) override {
    const IOStatus status =
        FSSequentialFileOwnerWrapper::Read(bytes, options, result, scratch, debug);
    if (!status.ok() || result->empty()) return status;
    if (result->data() != scratch) std::memmove(scratch, result->data(), result->size());
    fragments_.show({scratch, result->size()});
    *result = Slice(scratch, result->size());
    return status;
  }
  IOStatus Skip(uint64_t bytes) override {
    fragments_.skip(bytes);
    return FSSequentialFileOwnerWrapper::Skip(bytes);
  }

 private:
  WalFragments fragments_;
};

class WalReadingFs final : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "WalReadingFs"; }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* file,
                             IODebugContext* debug) override {
    auto status = FileSystemWrapper::NewSequentialFile(path, options, file, debug);
    if (status.ok() && path.ends_with(".log")) {
      *file = std::make_unique<WalReader>(std::move(*file));
    }
    return status;
  }
};

}  // namespace

void WalFragments::show(std::span<char> bytes) {
  const std::uint64_t begin = at_;
  const std::uint64_t end = begin + bytes.size();
  while (at_ < end) {
    if (at_ < header_at_) {
      at_ = std::min(header_at_, end);
      continue;
    }
    if (at_ == header_at_ && block_after(at_) - at_ < kHeaderBytes) {
      header_at_ = block_after(at_);
      continue;
    }
    char& byte = bytes[at_ - begin];
    header_[at_ - header_at_] = static_cast<unsigned char>(byte);
    ++at_;
    if (at_ - header_at_ < kHeaderBytes) continue;
    const auto kind = header_.back();
    const std::uint64_t length = header_[4] + 256U * header_[5];
    const std::uint64_t block_end = block_after(header_at_);
    if (kind > kLast) byte = static_cast<char>(kWhole);
    header_at_ = kind > kLast || kind == kNothing ? block_end : std::min(at_ + length, block_end);
  }
}

void WalFragments::skip(std::uint64_t bytes) {
  at_ += bytes;
  header_at_ = block_after(at_);
}

std::shared_ptr<rocksdb::FileSystem> wal_reading_files(
    const std::shared_ptr<rocksdb::FileSystem>& files) {
  return std::make_shared<WalReadingFs>(files);
}

}  // namespace carillon
