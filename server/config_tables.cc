#include "server/config_tables.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include <openssl/sha.h>

#include "api/names.h"
#include "base/json.h"
#include "base/text.h"
#include "delivery/http/settings.h"
#include "shard/lane_shares.h"

namespace carillon {
namespace {

constexpr std::string_view kTokenKeys[] = {"name", "role", "sha256", "file", "env"};
constexpr std::string_view kRoles[] = {"read", "write", "admin"};

/// The bytes of 64 hexadecimal digits; empty if it is not that.
std::string digest_from_hex(std::string_view hex) {
  std::string bytes;
  if (hex.size() != 2 * SHA256_DIGEST_LENGTH) return {};
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_digit(hex[i]);
    const int low = hex_digit(hex[i + 1]);
    if (high < 0 || low < 0) return {};
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

/// The node that a field of an error names ("retry.max_attempts"), or the table itself.
const toml::node& node_of(const toml::table& table, std::string_view field) {
  if (field.empty()) return table;
  const auto found = table.at_path(field);
  return found.node() != nullptr ? *found.node() : table;
}

std::string unknown_key(std::string_view key, std::string_view of,
                        std::span<const std::string_view> known) {
  const std::string_view near = nearest_name(key, known);
  return "unknown key \"" + std::string(key) + "\" of " + std::string(of) +
         (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?");
}

}  // namespace

std::string sha256(std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return {reinterpret_cast<const char*>(digest), sizeof digest};
}

bool ConfigTables::owns(std::string_view name) {
  return name == "tokens" || name == "targets" || name == "lanes" || name == "url_defaults";
}

Error ConfigTables::at(const toml::node& node, std::string detail) const {
  const auto& begin = node.source().begin;
  return Error{.slug = "config", .detail = std::move(detail), .field = {}}.in(
      path_ + ":" + std::to_string(begin.line) + ":" + std::to_string(begin.column));
}

Result<> ConfigTables::read(std::string_view name, const toml::node& node, Options& options) const {
  if (name == "tokens") {
    const auto* tokens = node.as_array();
    if (tokens == nullptr) return at(node, "tokens are written as [[tokens]]");
    for (const toml::node& token : *tokens) {
      if (Result<> done = read_token(token, options); !done) return done;
    }
    return {};
  }
  const auto* table = node.as_table();
  if (table == nullptr) return at(node, std::string(name) + " is a table");
  if (name == "url_defaults") {
    auto settings = read_target("url_defaults", *table, options);
    if (!settings) return settings.error();
    options.engine.url_defaults = std::move(*settings);
    options.engine.shard.url_concurrency = options.engine.url_defaults.concurrency;
    return {};
  }
  if (name == "lanes") {
    for (const auto& [key, lane] : *table) {
      if (Result<> done = read_lane(std::string(key.str()), lane, options); !done) return done;
    }
    std::uint32_t reserved = 0;
    for (const ConfiguredLane& lane : options.lanes) reserved += lane.settings.reserved;
    if (reserved <= kLanesReservedMax) return {};
    return at(node, "[lanes]: all of them together may reserve 0.9");
  }
  for (const auto& [key, target] : *table) {
    const std::string label = "targets." + std::string(key.str());
    if (!target.is_table()) return at(target, label + " is a table");
    if (const Result<> fine = check_target_name(key.str(), ""); !fine)
      return at(target, "[targets]: " + fine.error().detail);
    auto settings = read_target(label, *target.as_table(), options);
    if (!settings) return settings.error();
    settings->name = key.str();
    options.targets.push_back(
        {.settings = std::move(*settings), .sets_paused = target.as_table()->contains("paused")});
  }
  return {};
}

Result<> ConfigTables::read_token(const toml::node& node, Options& options) const {
  const auto* table = node.as_table();
  if (table == nullptr) return at(node, "tokens are written as [[tokens]]");
  for (const auto& [key, value] : *table) {
    if (std::ranges::find(kTokenKeys, key.str()) == std::end(kTokenKeys)) {
      return at(value, unknown_key(key.str(), "a token", kTokenKeys));
    }
    if (!value.is_string()) return at(value, std::string(key.str()) + " of a token takes text");
  }
  Token token;
  token.name = (*table)["name"].value_or(std::string());
  if (token.name.empty()) return at(node, "a token needs a name, for the log");
  if (std::ranges::find(options.api.tokens, token.name, &Token::name) != options.api.tokens.end()) {
    return at(node, "two tokens are named \"" + token.name + "\"");
  }
  const auto* const role = std::ranges::find(kRoles, (*table)["role"].value_or(std::string_view()));
  if (role == std::end(kRoles)) {
    return at(node, "the role of token \"" + token.name + "\" must be read, write or admin");
  }
  token.role = static_cast<Role>(role - std::begin(kRoles));

  const toml::node* const hash = table->get("sha256");
  const toml::node* const file = table->get("file");
  const toml::node* const env = table->get("env");
  if ((hash != nullptr) + (file != nullptr) + (env != nullptr) != 1) {
    return at(node, "token \"" + token.name + "\" needs exactly one of sha256, file and env");
  }
  if (hash != nullptr) {
    token.sha256 = digest_from_hex(hash->value_or(std::string_view()));
    if (token.sha256.empty()) {
      return at(*hash, "sha256 of a token is 64 hexadecimal digits, as sha256sum prints them");
    }
  } else {
    const Result<std::string> secret = file != nullptr ? file_text(*file) : variable(*env);
    if (!secret) return secret.error();
    const std::string_view text = trimmed(*secret, " \t\r\n");
    if (text.size() < 16) {
      return at(node, "token \"" + token.name +
                          "\" has fewer than 16 characters; "
                          "`openssl rand -hex 32` makes a good one");
    }
    token.sha256 = sha256(text);
  }
  options.api.tokens.push_back(std::move(token));
  return {};
}

Result<> ConfigTables::read_lane(const std::string& name, const toml::node& node,
                                 Options& options) const {
  const std::string label = "lanes." + name;
  const auto* const table = node.as_table();
  if (table == nullptr) return at(node, label + " is a table");
  if (const Result<> fine = check_name(name, ""); !fine)
    return at(node, "[lanes]: " + fine.error().detail);
  ConfiguredLane lane{.name = name, .settings = {}};
  for (const auto& [key, value] : *table) {
    if (key.str() == "weight") {
      const auto weight = value.value_exact<std::int64_t>();
      if (!weight || *weight < 1 || *weight > kLaneWeightMax)
        return at(value, label + ": weight is a whole number from 1 to 1000");
      lane.settings.weight = static_cast<std::uint32_t>(*weight);
    } else if (key.str() == "reserved") {
      const auto reserved = reserved_thousandths(value.value<double>().value_or(-1));
      if (!reserved) return at(value, label + ": " + reserved.error().detail);
      lane.settings.reserved = *reserved;
    } else {
      constexpr std::string_view kKnown[] = {"weight", "reserved"};
      return at(value, unknown_key(key.str(), label, kKnown));
    }
  }
  options.lanes.push_back(std::move(lane));
  return {};
}

Result<TargetSettings> ConfigTables::read_target(const std::string& label, const toml::table& table,
                                                 Options& options) const {
  toml::table fields = table;
  fields.erase("secrets_file");
  fields.erase("secrets_env");
  const auto* const inline_secrets = table.get_as<toml::array>("secrets");
  if (Result<> added = add_secrets(table, fields); !added) return added.error();
  // The API's own reader judges the fields, so that file and API take the same.
  std::ostringstream json;
  json << toml::json_formatter(fields);
  Result<TargetSettings> settings =
      label == "url_defaults" ? parse_url_defaults(json.str()) : parse_target(json.str());
  Result<> fine = settings ? settings->own->check_files() : settings.error();
  if (!fine) return at(node_of(table, fine.error().field), label + ": " + fine.error().detail);
  const bool has_secrets =
      (inline_secrets != nullptr && !inline_secrets->empty()) || table.contains("password");
  if (has_secrets && others_read_) {
    options.warnings.push_back("everyone on this machine may read the secrets of " + label +
                               " in " + path_ +
                               "; chmod 600 it, or keep them in a file of their own");
  }
  return settings;
}

/// Puts the secrets that lie elsewhere behind those of the table itself.
Result<> ConfigTables::add_secrets(const toml::table& table, toml::table& fields) const {
  for (const std::string_view key : {"secrets_file", "secrets_env"}) {
    const toml::node* const node = table.get(key);
    if (node == nullptr) continue;
    const Result<std::string> text = key == "secrets_file" ? file_text(*node) : variable(*node);
    if (!text) return text.error();
    if (!fields.contains("secrets")) fields.insert("secrets", toml::array());
    auto* const secrets = fields.get_as<toml::array>("secrets");
    if (secrets == nullptr) continue;  // the reader says that it is no list
    std::istringstream words(*text);
    for (std::string secret; words >> secret;) secrets->push_back(secret);
  }
  return {};
}

Result<std::string> ConfigTables::variable(const toml::node& name) const {
  const auto found = environment_.find(name.value_or(std::string()));
  if (found == environment_.end()) {
    return at(name, "the environment variable \"" + name.value_or(std::string()) + "\" is not set");
  }
  return Result<std::string>(boost::system::in_place_value, found->second);
}

Result<std::string> ConfigTables::file_text(const toml::node& path) const {
  const auto name = path.value<std::string>();
  std::ifstream file(name.value_or(""), std::ios::binary);
  if (!name || !file) return at(path, "cannot read the file \"" + name.value_or("") + "\"");
  return Result<std::string>(boost::system::in_place_value, std::istreambuf_iterator<char>(file),
                             std::istreambuf_iterator<char>());
}

}  // namespace carillon
