#include "delivery/broker/settings.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <tuple>

#include "base/text.h"
#include "delivery/errors.h"
#include "delivery/json_fields.h"
#include "delivery/tls_settings.h"
#include "net/url_policy.h"

namespace carillon {
namespace {

namespace fs = std::filesystem;
using simdjson::ondemand::value;

constexpr std::size_t kCredentialBytesMax = 4096;
constexpr std::size_t kKeysMax = 64;
constexpr std::size_t kKeyBytesMax = 255;

Error unusable(std::string_view field, std::string detail) {
  return {.slug = "unusable_file", .detail = std::move(detail), .field = std::string(field)};
}

bool is_plain(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

/// Without the end of its line.
Result<std::string> first_line(std::string_view field, std::string text, const std::string& of) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (!text.empty() && text.size() <= kCredentialBytesMax && is_plain(text)) {
    return Result<std::string>(boost::system::in_place_value, std::move(text));
  }
  return unusable(field, of + " does not hold one line of 1 to 4096 bytes");
}

Result<std::string> read_secret_variable(const std::string& name) {
  const char* const text = std::getenv(name.c_str());
  if (text == nullptr) {
    return unusable("password_env", "the environment variable " + name + " is not set");
  }
  return first_line("password_env", text, "the environment variable " + name);
}

Result<> read_keys(value from, std::vector<std::string>& keys) {
  keys.clear();
  return for_each_element(from, "keys", [&](std::size_t /*index*/, value one) -> Result<> {
    return read_string(one, "keys", keys.emplace_back());
  });
}

void write_keys(JsonWriter& json, const std::vector<std::string>& keys) {
  if (keys.empty()) return;
  json.key("keys").begin_array();
  for (const std::string& pattern : keys) json.string(pattern);
  json.end_array();
}

/// Whether the pattern fits the whole text. In time of their product.
bool matches(std::string_view pattern, std::string_view text) {
  constexpr auto kNone = std::string_view::npos;
  std::size_t at = 0;
  std::size_t star = kNone;  // the last one, and where what it stands for ends
  std::size_t star_end = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      star_end = i;
    } else if (at < pattern.size() && pattern[at] == text[i]) {
      ++at;
      ++i;
    } else if (star != kNone) {
      at = star + 1;
      i = ++star_end;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == kNone;
}

/// Whether the path leads into the directory, links and ".." followed.
bool lies_in(const std::string& path, const std::string& directory) {
  if (directory.empty() || !fs::path(path).is_absolute()) return false;
  std::error_code failed;
  const fs::path inside = fs::weakly_canonical(path, failed);
  if (failed) return false;
  const fs::path outside = fs::canonical(directory, failed);
  if (failed) return false;
  const auto [end, ignored] =
      std::mismatch(outside.begin(), outside.end(), inside.begin(), inside.end());
  return end == outside.end();
}

}  // namespace

Result<std::string> BrokerSettings::read_secret_file(std::string_view field,
                                                     const std::string& path,
                                                     std::size_t bytes_max) {
  std::error_code failed;
  if (!fs::is_regular_file(path, failed)) return unusable(field, "there is no file " + path);
  std::ifstream file(path, std::ios::binary);
  std::string text(bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || file.gcount() == 0) return unusable(field, "cannot read the file " + path);
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > bytes_max) return unusable(field, "the file " + path + " is too long");
  return Result<std::string>(boost::system::in_place_value, std::move(text));
}

Result<> BrokerSettings::read(std::string_view key, value from) {
  if (key == "url") return read_string(from, key, url);
  if (key == "username") return read_string(from, key, username);
  if (key == "password") return read_string(from, key, password);
  if (key == "password_file") return read_string(from, key, password_file);
  if (key == "password_env") return read_string(from, key, password_env);
  if (key == "tls") {
    names_tls = true;
    return read_tls(from, tls);
  }
  if (key == "keys") return read_keys(from, keys);
  return read_own(key, from);
}

void BrokerSettings::write(JsonWriter& json, Place place, Secrets show) const {
  if (place == Place::receiver) {
    if (!url.empty()) json.key("url").string(url);
    write_own(json);
    write_keys(json, keys);
  }
  if (place != Place::trust) return;
  if (!username.empty()) json.key("username").string(username);
  if (!password.empty()) {
    json.key("password")
        .string(show == Secrets::stored ? std::string_view(password) : kHiddenValue);
  }
  if (!password_file.empty()) json.key("password_file").string(password_file);
  if (!password_env.empty()) json.key("password_env").string(password_env);
  write_own_trust(json);
  if (shows_tls()) write_tls(json, tls);
}

void BrokerSettings::write_kept(JsonWriter& json) const {
  if (!password.empty()) json.key("password").string(kHiddenValue);
}

/// Whether all are hosts and ports of the other's, and TLS still stands before them.
bool BrokerSettings::goes_where(const BrokerSettings& other) const {
  const Result<std::vector<Url>> to = receivers();
  const Result<std::vector<Url>> before = other.receivers();
  if (!to || !before) return false;
  return std::ranges::all_of(*to, [&](const Url& one) {
    return std::ranges::any_of(*before, [&](const Url& its) {
      return one.host == its.host && one.port == its.port && one.tls == its.tls;
    });
  });
}

Result<std::shared_ptr<const KindSettings>> BrokerSettings::with_hidden_kept(
    const KindSettings* before) const {
  // A URL that cannot be used is no other receiver: that is said of it, and not of the secret.
  if (const auto usable = receivers(); !usable) return usable.error();
  std::shared_ptr<BrokerSettings> kept = copy();
  if (kept->password != kHiddenValue) return std::shared_ptr<const KindSettings>(std::move(kept));
  kept->password.clear();
  // A hidden password gives way to what is named in its place.
  if (password_file.empty() && password_env.empty()) {
    const auto* const stored = static_cast<const BrokerSettings*>(before);
    if (stored == nullptr || stored->password.empty()) {
      return Error{"secret_needed", "`password` is hidden, and none is stored", "password"};
    }
    if (!goes_where(*stored)) {
      return Error{
          "secret_needed",
          "`password` was set for another host or port, or for TLS; send it again, or \"\" "
          "for none",
          "password"};
    }
    kept->password = stored->password;
  }
  return std::shared_ptr<const KindSettings>(std::move(kept));
}

Result<> BrokerSettings::check_credentials() const {
  const int sources = static_cast<int>(!password.empty()) +
                      static_cast<int>(!password_file.empty()) +
                      static_cast<int>(!password_env.empty());
  if (sources > 1) {
    return Error{"conflicting_fields",
                 "`password`, `password_file` and `password_env` exclude each other", "password"};
  }
  SecretFiles all = secret_files();
  all.insert(all.end(),
             {{"username", username}, {"password", password}, {"password_env", password_env}});
  for (const auto& [field, text] : all) {
    if (text.size() > kCredentialBytesMax || !is_plain(text)) {
      return bad_value(field,
                       std::string(field) + " has a control character, or more than 4096 bytes");
    }
  }
  if (username.empty() || has_password()) return {};
  return bad_value("username",
                   "`username` goes with one of `password_file`, `password_env` and "
                   "`password`");
}

Result<std::vector<Url>> BrokerSettings::receivers() const {
  if (url.empty()) return Error{"missing_field", "`url` is required", "url"};
  Result<Url> parsed = parsed_url();
  if (!parsed) return parsed.error().at_field("url");
  if (parsed->path.find('?') != std::string::npos) {
    return Error{"bad_url", "a broker's URL has no query", "url"};
  }
  return std::vector<Url>{*std::move(parsed)};
}

Result<> BrokerSettings::check() const {
  const Result<std::vector<Url>> all = receivers();
  if (!all) return all.error();
  if (Result<> ok = check_own(all->front()); !ok) return ok;
  if (Result<> ok = check_credentials(); !ok) return ok;
  const auto is_pattern = [](const std::string& pattern) {
    return !pattern.empty() && pattern.size() <= kKeyBytesMax && is_plain(pattern);
  };
  if (keys.size() > kKeysMax || !std::ranges::all_of(keys, is_pattern)) {
    return bad_value("keys", "`keys` has up to 64 patterns of 1 to 255 bytes each");
  }
  return check_tls(tls);
}

Result<> BrokerSettings::check_key(std::string_view key) const {
  if (std::ranges::count(kind().members, "keys") == 0) return KindSettings::check_key(key);
  const auto allows = [&](const std::string& pattern) { return matches(pattern, key); };
  if (std::ranges::none_of(keys, allows)) {
    return Error{"key_not_allowed", "None of the target's `keys` allows this `key`.", "key"};
  }
  if (is_key(key)) return {};
  return Error{"key_not_allowed",
               "The broker could not use this `key`: it is too long, or has a character in it that "
               "may not be there.",
               "key"};
}

Result<> BrokerSettings::check_address(UrlPolicy& urls) const {
  const Result<std::vector<Url>> all = receivers();
  if (!all) return all.error();
  const std::string_view field = url.empty() ? "brokers" : "url";
  for (const Url& one : *all) {
    const Result<> allowed = urls.egress().check_unresolved(one.host, one.port_number());
    if (!allowed) return allowed.error().at_field(std::string(field));
  }
  return {};
}

Result<> BrokerSettings::check_files() const {
  if (const Result<std::string> secret = read_password(); !secret) return secret.error();
  if (Result<> ok = check_own_files(); !ok) return ok;
  return check_tls_files(tls);
}

BrokerSettings::SecretFiles BrokerSettings::secret_files() const {
  SecretFiles all = own_secret_files();
  all.emplace_back("password_file", password_file);
  return all;
}

Result<> BrokerSettings::check_named_by_client(const std::string& secrets_dir,
                                               const KindSettings* before) const {
  const auto* const old = static_cast<const BrokerSettings*>(before);
  const bool same_receiver = old != nullptr && goes_where(*old);
  for (const auto& file : secret_files()) {
    const auto& [field, path] = file;
    if (path.empty() || lies_in(path, secrets_dir)) continue;
    if (same_receiver && std::ranges::count(old->secret_files(), file) > 0) continue;
    return bad_value(field,
                     secrets_dir.empty()
                         ? "a file can be named over the API where the setting `secrets_dir` says "
                           "in which directory it must be"
                         : "a file that is named over the API must be in " + secrets_dir);
  }
  const bool known_variable = same_receiver && old->password_env == password_env;
  if (!password_env.empty() && !known_variable && !password_env.starts_with(kSecretVariables)) {
    return bad_value("password_env", "a variable that is named over the API begins with " +
                                         std::string(kSecretVariables));
  }
  return {};
}

Result<std::string> BrokerSettings::read_password() const {
  if (!password_file.empty()) {
    constexpr std::string_view kField = "password_file";
    Result<std::string> text = read_secret_file(kField, password_file, kCredentialBytesMax + 2);
    if (!text) return text.error();
    return first_line(kField, *std::move(text), "the file " + password_file);
  }
  if (!password_env.empty()) return read_secret_variable(password_env);
  return Result<std::string>(boost::system::in_place_value, password);
}

std::string BrokerSettings::connection_key() const {
  std::string key = tls.verify ? "+" : "-";
  // With its length before it, no text can pass for the end of another.
  for (const std::string* text : {&url, &username, &password, &password_file, &password_env,
                                  &tls.ca_file, &tls.certificate_file, &tls.private_key_file}) {
    append_number(key, text->size());
    key.append(":").append(*text);
  }
  return key;
}

bool BrokerSettings::equals(const KindSettings& other) const {
  const auto all = [](const BrokerSettings& its) {
    return std::tie(its.url, its.keys, its.username, its.password, its.password_file,
                    its.password_env, its.tls);
  };
  const auto& its = static_cast<const BrokerSettings&>(other);
  return all(*this) == all(its) && equals_own(its);
}

}  // namespace carillon
