// The settings that targets of all brokers have: where the broker is, who we are to it, and who
// vouches for whom.
//
// Operation: the settings of a kind derive from these and add members of their own; a kind without
// the member `url` says in `receivers` where its brokers are. A password
// comes from a file or a variable, which are read for each new connection, or is stored with the
// target and shown to nobody. It goes to no other host or port than it was given for, and never in
// a URL. What a client may name of files and variables is bounded; the config file may name any.
//
// Concurrency: as delivery/kind.h.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "delivery/kind.h"
#include "net/tls.h"
#include "net/url.h"

namespace carillon {

/// Variables that a client may name begin so.
inline constexpr std::string_view kSecretVariables = "CARILLON_SECRET_";

class BrokerSettings : public KindSettings {
 public:
  std::string url;
  std::string username;
  std::string password;       // at most one of these three is set
  std::string password_file;  // a file that holds it
  std::string password_env;   // a variable that holds it
  ClientTls tls;
  bool names_tls = false;  // the member was there
  /// Patterns of keys that tasks may name, in which "*" stands for any characters; where the kind
  /// has such a member.
  std::vector<std::string> keys;

  /// Error slug: bad_url.
  [[nodiscard]] Result<Url> parsed_url() const { return parse_url(url, schemes_); }
  /// Where connections lead first, at least one. Error slugs: missing_field, bad_url, bad_value.
  [[nodiscard]] virtual Result<std::vector<Url>> receivers() const;
  [[nodiscard]] bool has_password() const {
    return !password.empty() || !password_file.empty() || !password_env.empty();
  }
  /// The password as it is now; empty: there is none. Error slug: unusable_file.
  [[nodiscard]] Result<std::string> read_password() const;
  /// What tells its connections from those of others, for a map.
  [[nodiscard]] std::string connection_key() const;

  Result<> read(std::string_view key, simdjson::ondemand::value from) final;
  Result<std::shared_ptr<const KindSettings>> with_hidden_kept(
      const KindSettings* before) const final;
  Result<> check() const final;
  Result<> check_key(std::string_view key) const override;
  Result<> check_address(UrlPolicy& urls) const final;
  Result<> check_files() const final;
  Result<> check_named_by_client(const std::string& secrets_dir,
                                 const KindSettings* before) const final;
  void write(JsonWriter& json, Place place, Secrets secrets) const final;
  void write_kept(JsonWriter& json) const final;
  [[nodiscard]] bool equals(const KindSettings& other) const final;

 protected:
  /// `schemes` must live for ever.
  BrokerSettings(const TargetKind& kind, const UrlSchemes& schemes)
      : KindSettings(kind), schemes_(schemes) {}

  // The members that the kind adds to these, as delivery/kind.h has them.
  [[nodiscard]] virtual Result<> read_own(std::string_view key, simdjson::ondemand::value from) = 0;
  /// `first`: of `receivers`.
  [[nodiscard]] virtual Result<> check_own(const Url& first) const = 0;
  /// Whether the broker could use it.
  [[nodiscard]] virtual bool is_key(std::string_view /*key*/) const { return true; }
  /// Whether `tls` is written also where it says nothing that is not so anyway.
  [[nodiscard]] virtual bool shows_tls() const { return true; }
  virtual void write_own(JsonWriter& json) const = 0;
  [[nodiscard]] virtual bool equals_own(const BrokerSettings& other) const = 0;
  [[nodiscard]] virtual std::shared_ptr<BrokerSettings> copy() const = 0;

  // And where it has secrets of its own.

  /// Members that name files of secrets, with what they name.
  using SecretFiles = std::vector<std::pair<std::string_view, std::string>>;
  [[nodiscard]] virtual SecretFiles own_secret_files() const { return {}; }
  /// Whether these can be used. Error slug: unusable_file.
  [[nodiscard]] virtual Result<> check_own_files() const { return {}; }
  virtual void write_own_trust(JsonWriter& /*json*/) const {}
  /// What a file holds. Error slug: unusable_file.
  [[nodiscard]] static Result<std::string> read_secret_file(std::string_view field,
                                                            const std::string& path,
                                                            std::size_t bytes_max);

 private:
  [[nodiscard]] Result<> check_credentials() const;
  [[nodiscard]] SecretFiles secret_files() const;
  [[nodiscard]] bool goes_where(const BrokerSettings& other) const;

  const UrlSchemes& schemes_;
};

}  // namespace carillon
