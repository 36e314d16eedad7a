#include "tools/client/import_source.h"

#include <algorithm>
#include <utility>

#include <simdjson.h>

#include "base/json.h"
#include "base/siphash.h"
#include "base/text.h"
#include "tools/client/files.h"

namespace carillon::client {
namespace {

constexpr std::size_t kIdBytesMax = 255;

class ImportFile final : public ImportSource {
 public:
  explicit ImportFile(LineReader lines) : lines_(std::move(lines)) {}

  Result<std::vector<ImportedTask>> next(std::size_t count) override {
    std::vector<ImportedTask> tasks;
    std::size_t bytes = 0;
    while (!failed_ && tasks.size() < count && bytes < kImportBytesMax) {
      std::string_view line;
      const Result<bool> more = lines_.next(line);
      if (!more) failed_ = more.error();
      if (!more || !*more) break;
      ++number_;
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      bytes += line.size();
      tasks.push_back({std::string(line), "line " + std::to_string(number_)});
    }
    if (tasks.empty() && failed_) return *failed_;
    return tasks;
  }

 private:
  LineReader lines_;
  std::uint64_t number_ = 0;
  std::optional<Error> failed_;
};

}  // namespace

Result<std::unique_ptr<ImportSource>> open_import_file(const std::string& path) {
  Result<LineReader> lines = LineReader::open(path);
  if (!lines) return lines.error();
  return std::unique_ptr<ImportSource>(std::make_unique<ImportFile>(*std::move(lines)));
}

/// "once": what was imported before stays as it is, also where it has been pushed since.
void append_import_members(JsonWriter& json, const ImportOptions& options) {
  json.key("target").string(options.target);
  if (!options.group.empty()) json.key("group").string(options.group);
  if (!options.lane.empty()) json.key("lane").string(options.lane);
  json.key("if_exists").string("once");
}

Result<Url> import_url(const ImportOptions& options, const char* usual, const UrlSchemes& schemes) {
  Result<Url> url = parse_url(options.url.empty() ? usual : options.url, schemes);
  if (!url) return Error{"bad_source", "--from: " + url.error().detail, ""};
  if (url->tls) {
    return Error{
        "bad_source",
        "--from: " + std::string(schemes.tls) + " is not supported; use a tunnel, such as stunnel",
        ""};
  }
  return url;
}

Result<std::string> import_password(const ImportOptions& options) {
  std::string text;
  if (!options.password_file.empty()) {
    if (Result<> read = read_file(options.password_file, text); !read) return read.error();
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  }
  return Result<std::string>(boost::system::in_place_value, std::move(text));
}

std::string import_id(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  const bool is_id = !text.empty() && text.size() <= kIdBytesMax && text != "." && text != ".." &&
                     simdjson::validate_utf8(text.data(), text.size()) &&
                     std::ranges::none_of(text, is_control);
  return is_id ? std::string(text) : "imported:" + import_digest(text);
}

std::string import_digest(std::string_view bytes) {
  constexpr int kDigits = 16;
  const Hash128 hash = siphash({0x6361'7269'6c6c'6f6e, 0x696d'706f'7274'6564}, bytes);
  std::string text(2 * kDigits, '0');
  write_hex(text.data(), hash.high, kDigits);
  write_hex(text.data() + kDigits, hash.low, kDigits);
  return text;
}

}  // namespace carillon::client
