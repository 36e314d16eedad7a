// A target: where due tasks are pushed, and how.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "wheel/task.h"

namespace carillon {

struct TargetSettings {
  std::string name;  // empty for the stand-in of tasks that name a URL
  std::string url;   // http or https; empty for that stand-in: each task brings its own
  std::string method = "POST";
  std::vector<std::pair<std::string, std::string>> headers;
  Millis timeout{std::chrono::seconds(15)};  // of a whole push, connecting included
  /// A connection is used for pushes that begin within this long of its opening, so that a name
  /// that moves is followed. 0: for one push.
  Millis connection_max_age{std::chrono::seconds(60)};
  std::uint32_t concurrency = 64;  // pushes under way at once, 1 to 10,000
  RetryPolicy retry;
  /// Standard Webhooks secrets as "whsec_" + base64; one, or two while rotating. Never shown or
  /// logged.
  std::vector<std::string> secrets;
  struct Tls {
    bool verify = true;
    std::string ca_file;           // empty: the system's
    std::string certificate_file;  // client certificate, with private_key_file
    std::string private_key_file;
    friend bool operator==(const Tls&, const Tls&) = default;
  } tls;
  bool paused = false;
  friend bool operator==(const TargetSettings&, const TargetSettings&) = default;
};

/// What a target may be set to and a client sends: the JSON of docs/api.md. Strict: unknown and
/// duplicate fields, bad URLs, headers that may not be set, values out of bounds are errors (400
/// slugs). `name` is not in the JSON. `paused` is, for the log's sake.
[[nodiscard]] Result<TargetSettings> parse_target(std::string_view json);

enum class Secrets { hidden, shown };
/// The JSON that parse_target reads back. Secrets are replaced by "whsec_***" unless `shown`.
[[nodiscard]] std::string format_target(const TargetSettings& settings, Secrets secrets);

/// Checks what parse_target checks, for settings that came from elsewhere (the config file).
[[nodiscard]] Result<> check_target(const TargetSettings& settings);

/// Bounds of a retry policy: max_attempts 1 to 1000, 1ms <= backoff_min <= backoff_max <= 30d.
/// Error slug: bad_value.
[[nodiscard]] Result<> check_retry(const RetryPolicy& retry);

/// A header that a task or target may not set: token rules, CR/LF/NUL, and the names of
/// docs/api.md#headers. Error slug: bad_header.
[[nodiscard]] Result<> check_push_header(std::string_view name, std::string_view value);

}  // namespace carillon
