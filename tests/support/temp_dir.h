// A directory that exists as long as the object does.
#pragma once

#include <filesystem>
#include <string>

namespace carillon::test {

class TempDir {
 public:
  /// Makes an empty directory under the system's place for such; aborts where that fails.
  TempDir();
  /// Deletes it with all that is in it.
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const {
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

/// Writes a whole file; aborts where that fails.
void write_file(const std::string& path, std::string_view content);
[[nodiscard]] std::string read_whole_file(const std::string& path);

}  // namespace carillon::test
