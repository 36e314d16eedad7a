// The settings of a target of kind `http`: where it is, how a request is made, who vouches for
// whom.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "delivery/kind.h"
#include "delivery/target.h"
#include "net/tls.h"

namespace carillon {

extern const TargetKind kHttpKind;

/// Stands for a signing secret in an answer. Sent back, it keeps what is stored.
inline constexpr std::string_view kHiddenSecret = "whsec_***";

struct HttpSettings final : KindSettings {
  HttpSettings() : KindSettings(kHttpKind) {}

  std::string url;  // empty for the stand-in of tasks that name a URL: each brings its own
  std::string method = "POST";
  std::vector<std::pair<std::string, std::string>> headers;
  /// A connection is used for pushes that begin within this long of its opening, so that a name
  /// that moves is followed. 0: for one push.
  Millis connection_max_age{std::chrono::seconds(60)};
  BatchLimit batched{};  // tasks_max to 10,000, bytes_max 1 KiB to 16 MiB, wait_max to 1m
  /// Standard Webhooks secrets as "whsec_" + base64; one, or two while rotating. Never shown or
  /// logged.
  std::vector<std::string> secrets;
  ClientTls tls;

  Result<> read(std::string_view key, simdjson::ondemand::value from) override;
  Result<std::shared_ptr<const KindSettings>> with_hidden_kept(
      const KindSettings* before) const override;
  Result<> check() const override;
  Result<> check_address(UrlPolicy& urls) const override;
  Result<> check_files() const override;
  /// It names none: its secrets come as they are.
  Result<> check_named_by_client(const std::string&, const KindSettings*) const override {
    return {};
  }
  [[nodiscard]] bool takes_several() const override { return true; }
  [[nodiscard]] BatchLimit batch() const override { return batched; }
  void write(JsonWriter& json, Place place, Secrets secrets) const override;
  void write_kept(JsonWriter& json) const override;
  [[nodiscard]] bool equals(const KindSettings& other) const override;
};

/// Those of a target whose kind this is.
[[nodiscard]] const HttpSettings& http_settings(const TargetSettings& target);

/// How tasks that name a URL are pushed: parse_target without a `url`.
[[nodiscard]] Result<TargetSettings> parse_url_defaults(std::string_view json);

}  // namespace carillon
