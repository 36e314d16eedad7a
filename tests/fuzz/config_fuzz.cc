// The config file, and the settings as flags and environment variables have them: what is taken
// shows as text that is taken as the same.

#include <sys/mman.h>
#include <unistd.h>

#include "base/memory_size.h"
#include "server/config.h"
#include "server/config_file.h"
#include "server/listen.h"
#include "tests/fuzz/fuzz.h"

namespace carillon {
namespace {

void check_shown(const Options& options) {
  for (const Setting& setting : settings()) {
    const std::string shown = show(setting, options);
    Options again;
    // A list's text cannot say that an item has a comma or a space at its end.
    if (is_list(setting)) continue;
    CARILLON_CHECK(set_text(setting, again, shown) && show(setting, again) == shown);
  }
}

/// Reads `text` as a file, one in memory.
void check_file(std::string_view text) {
  // These name files to read, of which some never end.
  for (const std::string_view key : {"file", "certificate", "private_key"}) {
    if (text.find(key) != std::string_view::npos && text.find('/') != std::string_view::npos)
      return;
  }
  static const int file = memfd_create("config.toml", MFD_CLOEXEC);
  CARILLON_CHECK(file >= 0 && ftruncate(file, 0) == 0);
  CARILLON_CHECK(pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  Options options;
  const Environment environment{{"SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}};
  const auto read = read_config_file("/proc/self/fd/" + std::to_string(file), environment, options);
  if (!read) {
    CARILLON_CHECK(read.error().slug == "config");
    return;
  }
  check_shown(options);
  for (const auto& target : options.targets) CARILLON_CHECK(check_target(target.settings));
}

void check_texts(std::string_view text) {
  for (const Setting& setting : settings()) {
    Options options;
    if (!set_text(setting, options, text)) continue;
    const std::string shown = show(setting, options);
    Options again;
    CARILLON_CHECK(set_text(setting, again, shown) && show(setting, again) == shown);
  }
  if (const auto bytes = parse_bytes(text)) {
    const auto again = parse_bytes(format_bytes(*bytes));
    CARILLON_CHECK(again && *again == *bytes);
  }
  const auto listen = parse_listen(text);
  if (!listen || !listen->unix_path.empty()) return;
  const bool ipv6 = listen->host.find(':') != std::string::npos;
  const auto again = parse_listen((ipv6 ? "[" + listen->host + "]" : listen->host) + ":" +
                                  std::to_string(listen->port));
  CARILLON_CHECK(again && again->host == listen->host && again->port == listen->port);
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = carillon::fuzz::text_of(data, size);
  carillon::check_file(text);
  carillon::check_texts(text);
  return 0;
}
