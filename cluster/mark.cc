#include "cluster/mark.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "storage/bytes.h"

namespace carillon {

namespace {

constexpr std::string_view kWord = "carillon-cluster";

std::string path_of(const std::string& data_dir) {
  return data_dir + "/cluster";
}

Error cannot(const std::string& path, const char* doing) {
  return storage_error(path + ": " + doing + ": " + std::strerror(errno));
}

/// Writes, syncs and closes.
Result<> write_file(const std::string& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return cannot(path, "making it");
  const bool written =
      ::write(file, text.data(), text.size()) == static_cast<::ssize_t>(text.size()) &&
      ::fsync(file) == 0;
  Result<> done{};
  if (!written) done = cannot(path, "writing it");
  ::close(file);
  return done;
}

Result<> sync_directory(const std::string& path) {
  const int dir = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return cannot(path, "opening it");
  Result<> done{};
  if (::fsync(dir) != 0) done = cannot(path, "syncing it");
  ::close(dir);
  return done;
}

}  // namespace

Result<std::optional<ClusterMark>> read_cluster_mark(const std::string& data_dir) {
  const std::string path = path_of(data_dir);
  std::ifstream file(path);
  if (!file) return std::optional<ClusterMark>();
  std::string word;
  ClusterMark mark;
  file >> word >> mark.name >> std::hex >> mark.cluster.low >> mark.cluster.high;
  if (!file || word != kWord) {
    return Error{"config", path + " does not say to which cluster the directory belongs",
                 "data_dir"};
  }
  return std::optional(mark);
}

Result<> write_cluster_mark(const std::string& data_dir, const ClusterMark& mark) {
  std::error_code error;
  std::filesystem::create_directories(data_dir + "/shards", error);
  if (error) return storage_error(data_dir + ": making it: " + error.message());
  const std::string path = path_of(data_dir);
  const std::string text =
      fmt::format("{} {} {:x} {:x}\n", kWord, mark.name, mark.cluster.low, mark.cluster.high);
  // All of it or nothing, also after a loss of power.
  if (auto written = write_file(path + ".new", text); !written) return written;
  std::filesystem::rename(path + ".new", path, error);
  if (error) return storage_error(path + ": " + error.message());
  return sync_directory(data_dir);
}

}  // namespace carillon
