#include "cluster/mark.h"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <rocksdb/env.h>

#include "storage/bytes.h"
#include "storage/data_dir.h"

namespace carillon {

namespace {

constexpr std::string_view kWord = "carillon-cluster";

std::string path_of(const std::string& data_dir) {
  return data_dir + "/cluster";
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
  return write_file(rocksdb::Env::Default(), data_dir, path, text);
}

}  // namespace carillon
