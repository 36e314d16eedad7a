#include "tools/client/files.h"

#include <cerrno>
#include <cstring>

namespace carillon::client {
namespace {

Error cannot_read(const std::string& path, int why) {
  return {"bad_file",
          "cannot read " + (path == "-" ? "standard input" : path) + ": " + std::strerror(why), ""};
}

}  // namespace

Result<LineReader> LineReader::open(const std::string& path) {
  std::FILE* const file = path == "-" ? stdin : std::fopen(path.c_str(), "rbe");
  if (file == nullptr) return cannot_read(path, errno);
  return LineReader(path, file);
}

Result<bool> LineReader::next(std::string_view& line) {
  char* buffer = buffer_.release();
  errno = 0;
  const ssize_t bytes = ::getline(&buffer, &buffer_bytes_, file_.get());
  const int why = errno;
  buffer_.reset(buffer);
  if (bytes < 0) {
    if (std::ferror(file_.get()) != 0 || why != 0) return cannot_read(path_, why);
    return false;
  }
  line = {buffer, static_cast<std::size_t>(bytes)};
  if (line.ends_with('\n')) line.remove_suffix(1);
  return true;
}

Result<> LineReader::rest(std::string& content) {
  content.clear();
  char piece[16 * 1024];
  while (const std::size_t bytes = std::fread(piece, 1, sizeof piece, file_.get()))
    content.append(piece, bytes);
  if (std::ferror(file_.get()) != 0) return cannot_read(path_, errno);
  return {};
}

Result<> read_file(const std::string& path, std::string& content) {
  auto reader = LineReader::open(path);
  if (!reader) return reader.error();
  return reader->rest(content);
}

}  // namespace carillon::client
