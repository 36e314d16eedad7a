// A target: where due tasks are pushed, and how.
//
// Operation: what targets of all kinds share is here; the rest is the kind's own (delivery/kind.h).
// In JSON both are one object, as docs/api.md has it; so are they in the config file and in the
// log. An answer hides secrets (delivery/mask.h), and what it shows can be sent back.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "delivery/mask.h"
#include "wheel/task.h"

namespace carillon {

class KindSettings;

/// The default settings of the first kind.
[[nodiscard]] std::shared_ptr<const KindSettings> default_kind_settings();

struct TargetSettings {
  std::string name;                          // empty for the stand-in of tasks that name a URL
  Millis timeout{std::chrono::seconds(15)};  // of a whole push, connecting included
  std::uint32_t concurrency = 64;            // pushes under way at once, 1 to 10,000; by kind
  RateLimit rate{};                          // limit and burst to 1,000,000, per 1ms to 1d
  RetryPolicy retry;
  Breaker breaker{};
  Millis hold_max{std::chrono::minutes(5)};  // "not now" stops all its pushes no longer than this
  bool paused = false;
  std::shared_ptr<const KindSettings> own = default_kind_settings();  // never null
  friend bool operator==(const TargetSettings& a, const TargetSettings& b);
};

/// What the config file may set a target to. Strict: unknown and duplicate fields, values out of
/// bounds are errors (400 slugs). `name` is not in the JSON. `paused` is, for the log's sake.
[[nodiscard]] Result<TargetSettings> parse_target(std::string_view json);

/// The same for what the log holds, which was checked when it was set, perhaps by an older version.
[[nodiscard]] Result<TargetSettings> parse_stored_target(std::string_view json);

enum class TargetEdit { replace, merge };  // PUT and PATCH
/// What a target becomes when a client sends `json` for it: all of it, or (JSON merge patch, RFC
/// 7396) what changes. `before`: as it is now; null: there is none, which `merge` does not take.
///
/// What an answer shows is taken: members that cannot be set are passed over, and hidden values
/// keep what is stored, as does a PUT without `paused` or secrets. Errors: those of parse_target;
/// `secret_needed` (422) where a hidden value has nothing to keep, or where it would go to another
/// host or port than it was given for. Where the kind changes, nothing of the old one is kept.
/// Files of secrets lie in `secrets_dir` (empty: none does); the config file may name any.
[[nodiscard]] Result<TargetSettings> edit_target(std::string_view name, std::string_view json,
                                                 TargetEdit edit, const TargetSettings* before,
                                                 const std::string& secrets_dir = {});

/// The JSON that parse_target reads back; that of `Secrets::hidden` and `shown` edit_target does.
[[nodiscard]] std::string format_target(const TargetSettings& settings, Secrets secrets);

/// The same without what is its kind's own, and without `kind`.
[[nodiscard]] std::string format_shared_settings(const TargetSettings& settings);

/// Checks what parse_target checks, for settings that came from elsewhere.
[[nodiscard]] Result<> check_target(const TargetSettings& settings);

}  // namespace carillon
