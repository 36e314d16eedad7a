// Files that a command reads, where an error of reading is not the end of the file.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace carillon::client {

/// Reads `path` ("-": standard input) line by line. Error slug of all: bad_file.
class LineReader {
 public:
  [[nodiscard]] static Result<LineReader> open(const std::string& path);

  /// The next line without its line break, valid until the next call; false at the end.
  [[nodiscard]] Result<bool> next(std::string_view& line);

  /// All that is left.
  [[nodiscard]] Result<> rest(std::string& content);

 private:
  struct Close {
    void operator()(std::FILE* file) const {
      if (file != stdin) std::fclose(file);
    }
  };
  struct Free {
    void operator()(char* buffer) const { std::free(buffer); }
  };
  LineReader(const std::string& path, std::FILE* file) : path_(path), file_(file) {}

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::unique_ptr<char, Free> buffer_;  // grown by getline
  std::size_t buffer_bytes_ = 0;
};

/// The whole of `path` ("-": standard input).
[[nodiscard]] Result<> read_file(const std::string& path, std::string& content);

}  // namespace carillon::client
