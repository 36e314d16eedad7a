#include "delivery/nats/settings.h"

#include <algorithm>
#include <sstream>

#include "base/check.h"
#include "base/text.h"
#include "delivery/errors.h"
#include "delivery/json_fields.h"

namespace carillon {
namespace {

constexpr std::size_t kSubjectBytesMax = 255;

/// Whether messages can be published to it, and it is nothing of the servers' own ("$JS.API...").
bool is_subject(std::string_view text) {
  if (text.size() > kSubjectBytesMax || text.starts_with('$')) return false;
  char before = '.';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte == 0x7f || c == '*' || c == '>') return false;
    if (c == '.' && before == '.') return false;
    before = c;
  }
  return before != '.';
}

/// What stands in a file between "-----BEGIN ...-----" and "------END ...------", twice.
NatsCredentials credentials_in(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  std::vector<std::string> found;
  bool is_inside = false;
  while (std::getline(lines, line)) {
    const std::string_view words = trimmed(line, " \t\r");
    if (words.starts_with("---")) {
      is_inside = words.find("BEGIN") != std::string_view::npos;
    } else if (is_inside && !words.empty()) {
      found.emplace_back(words);
      is_inside = false;
    }
  }
  const auto is_plain = [](const std::string& word) {
    return std::ranges::all_of(word, [](char c) { return c > ' ' && c < 0x7f; });
  };
  if (found.size() != 2 || !std::ranges::all_of(found, is_plain)) return {};
  if (!found[1].starts_with("SU")) return {};
  return {std::move(found[0]), std::move(found[1])};
}

}  // namespace

Result<NatsCredentials> NatsSettings::read_credentials() const {
  constexpr std::size_t kBytesMax = 64 * 1024;
  if (creds_file.empty()) return NatsCredentials();
  const Result<std::string> text = read_secret_file("creds_file", creds_file, kBytesMax);
  if (!text) return text.error();
  NatsCredentials credentials = credentials_in(*text);
  if (!credentials.jwt.empty()) return credentials;
  return Error{"unusable_file",
               "the file " + creds_file + " does not hold the JWT and the seed of a user of NATS",
               "creds_file"};
}

Result<> NatsSettings::read_own(std::string_view key, simdjson::ondemand::value from) {
  return read_string(from, key, key == "subject" ? subject : creds_file);
}

Result<> NatsSettings::check_own(const Url& parsed) const {
  if (parsed.path != "/") return Error{"bad_url", "nothing follows the host and port", "url"};
  if (subject.empty()) return Error{"missing_field", "`subject` is required", "subject"};
  if (!is_subject(subject)) {
    return bad_value("subject",
                     "`subject` is up to 255 bytes: words with a dot between two, without spaces, "
                     "control characters, `*` and `>`, and with no `$` in front");
  }
  if (!creds_file.empty() && (has_password() || !username.empty())) {
    return Error{"conflicting_fields", "`creds_file` stands in place of user name and password",
                 "creds_file"};
  }
  return {};
}

bool NatsSettings::is_key(std::string_view key) const {
  return is_subject(key);
}

Result<> NatsSettings::check_own_files() const {
  const Result<NatsCredentials> usable = read_credentials();
  return usable ? Result<>() : usable.error();
}

void NatsSettings::write_own(JsonWriter& json) const {
  json.key("subject").string(subject);
}

void NatsSettings::write_own_trust(JsonWriter& json) const {
  if (!creds_file.empty()) json.key("creds_file").string(creds_file);
}

bool NatsSettings::equals_own(const BrokerSettings& other) const {
  const auto& its = static_cast<const NatsSettings&>(other);
  return subject == its.subject && creds_file == its.creds_file;
}

std::shared_ptr<BrokerSettings> NatsSettings::copy() const {
  return std::make_shared<NatsSettings>(*this);
}

const NatsSettings& nats_settings(const TargetSettings& target) {
  CARILLON_CHECK(&target.own->kind() == &kNatsKind);
  return static_cast<const NatsSettings&>(*target.own);
}

}  // namespace carillon
