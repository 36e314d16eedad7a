// A target: where due tasks are pushed, and how.
#pragma once

#include <optional>
#include <string>
#include <string_view>
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
  Millis hold_max{std::chrono::minutes(5)};  // "not now" stops all its pushes no longer than this
  /// Standard Webhooks secrets as "whsec_" + base64; one, or two while rotating. Never shown or
  /// logged.
  std::vector<std::string> secrets;
  struct Tls {
    bool verify = true;
    std::string ca_file{};           // empty: the system's
    std::string certificate_file{};  // client certificate, with private_key_file
    std::string private_key_file{};
    friend bool operator==(const Tls&, const Tls&) = default;
  } tls;
  bool paused = false;
  friend bool operator==(const TargetSettings&, const TargetSettings&) = default;
};

/// What stands in an answer for a secret, and for the value of a header or the query of a URL that
/// are not shown. Sent back, it keeps what is stored.
inline constexpr std::string_view kHiddenSecret = "whsec_***";
inline constexpr std::string_view kHiddenValue = "***";

/// What a target may be set to: the JSON of docs/api.md, as the config file has it. Strict: unknown
/// and duplicate fields, bad URLs, headers that may not be set, values out of bounds are errors
/// (400 slugs). `name` is not in the JSON. `paused` is, for the log's sake.
[[nodiscard]] Result<TargetSettings> parse_target(std::string_view json);

/// The same for what the log holds, which was checked when it was set, perhaps by an older version.
[[nodiscard]] Result<TargetSettings> parse_stored_target(std::string_view json);

enum class TargetEdit { replace, merge };  // PUT and PATCH
/// What a target becomes when a client sends `json` for it: all of it, or (JSON merge patch, RFC
/// 7396) what changes. `before`: as it is now; null: there is none, which `merge` does not take.
///
/// What an answer shows is taken: members that cannot be set are passed over, and hidden values
/// keep what is stored, as does a PUT without `secrets` or `paused`. Errors: those of
/// parse_target; `secret_needed` (422) where a hidden value has nothing to keep, or where it would
/// go to another host or port than it was given for.
[[nodiscard]] Result<TargetSettings> edit_target(std::string_view name, std::string_view json,
                                                 TargetEdit edit, const TargetSettings* before);

enum class Secrets { hidden, shown };
/// The JSON that parse_target reads back. Secrets are replaced by kHiddenSecret unless `shown`.
[[nodiscard]] std::string format_target(const TargetSettings& settings, Secrets secrets);

/// Checks what parse_target checks, for settings that came from elsewhere (the config file).
[[nodiscard]] Result<> check_target(const TargetSettings& settings);

/// Whether the files that `tls` names can be used. Error slug: unusable_file, with file and reason.
[[nodiscard]] Result<> check_tls_files(const TargetSettings::Tls& tls);

/// Bounds of a retry policy: max_attempts 1 to 1000, 1ms <= backoff_min <= backoff_max <= 30d,
/// max_age 1ms to 30d. Error slug: bad_value.
[[nodiscard]] Result<> check_retry(const RetryPolicy& retry);
/// The same for what is given of one.
[[nodiscard]] Result<> check_retry(const RetryChoice& retry);

/// A header that a task or target may not set: token rules, CR/LF/NUL, and the names of
/// docs/api.md#headers. Error slug: bad_header.
[[nodiscard]] Result<> check_push_header(std::string_view name, std::string_view value);

/// Holds the headers that one task or target adds to its pushes against the rules for each and for
/// all: at most 64 names, no two of them equal but for case, 16 KiB in all.
class PushHeaderRules {
 public:
  /// The next header; its name must outlive this. Errors about the field `headers`: bad_header,
  /// duplicate_field; bad_value past the bounds. Being bounded, the look at all earlier names is
  /// cheap.
  [[nodiscard]] Result<> take(std::string_view name, std::string_view value);

 private:
  std::vector<std::string_view> names_;
  std::size_t bytes_ = 0;
};

}  // namespace carillon
