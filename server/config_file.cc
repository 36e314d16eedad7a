#include "server/config_file.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <sys/stat.h>
#include <toml++/toml.h>

#include "base/json.h"
#include "server/config_tables.h"
#include "server/settings.h"

namespace carillon {
namespace {

std::string place_of(const std::string& path, const toml::source_region& at) {
  return path + ":" + std::to_string(at.begin.line) + ":" + std::to_string(at.begin.column);
}

/// The names that may stand at the level of `prefix` ("" or "limits."), for "did you mean".
std::vector<std::string_view> names_below(std::string_view prefix) {
  std::vector<std::string_view> names;
  for (const Setting& setting : settings()) {
    if (!setting.key.starts_with(prefix)) continue;
    const std::string_view rest = setting.key.substr(prefix.size());
    const std::string_view name = rest.substr(0, rest.find('.'));
    if (names.empty() || names.back() != name) names.push_back(name);
  }
  if (prefix.empty()) names.insert(names.end(), {"tokens", "targets", "lanes", "url_defaults"});
  return names;
}

Error unknown_key(std::string_view prefix, std::string_view name) {
  const std::string whole = std::string(prefix) + std::string(name);
  std::string detail = "unknown key \"" + whole + "\"";
  const std::string_view near = nearest_name(name, names_below(prefix));
  std::string meant = near.empty() ? "" : std::string(prefix) + std::string(near);
  // A right name in the wrong table is the other common slip.
  for (const Setting& setting : settings()) {
    if (meant.empty() && setting.key.ends_with("." + std::string(name))) meant = setting.key;
  }
  if (!meant.empty()) detail += "; did you mean \"" + meant + "\"?";
  return Error{.slug = "config", .detail = std::move(detail), .field = whole};
}

Result<> set_from_node(const Setting& setting, const toml::node& node, Options& options) {
  if (const auto* yes = node.as_boolean(); yes != nullptr && is_switch(setting)) {
    return set_text(setting, options, yes->get() ? "true" : "false");
  }
  if (const auto* number = node.as_integer(); number != nullptr && !is_switch(setting)) {
    return set_number(setting, options, number->get());
  }
  if (const auto* text = node.as_string(); text != nullptr && !is_switch(setting)) {
    if (is_list(setting)) return set_list(setting, options, {text->get()});
    return set_text(setting, options, text->get());
  }
  if (const auto* array = node.as_array(); array != nullptr && is_list(setting)) {
    std::vector<std::string> items;
    for (const toml::node& item : *array) {
      const auto* text = item.as_string();
      if (text == nullptr) break;
      items.push_back(text->get());
    }
    if (items.size() == array->size()) return set_list(setting, options, std::move(items));
  }
  return Error{.slug = "config",
               .detail = std::string(setting.key) + " takes " + allowed_text(setting),
               .field = std::string(setting.key)};
}

class Reader {
 public:
  Reader(const std::string& path, const ConfigTables& tables, Options& options)
      : path_(path), tables_(tables), options_(options) {}

  Result<> read(const toml::table& table, const std::string& prefix) {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      const Setting* const setting = find_setting(prefix + name);
      Result<> done;
      if (setting != nullptr) {
        done = set_from_node(*setting, node, options_);
      } else if (prefix.empty() && ConfigTables::owns(name)) {
        done = tables_.read(name, node, options_);
      } else if (node.is_table() && !names_below(prefix + name + ".").empty()) {
        if (done = read(*node.as_table(), prefix + name + "."); !done) return done;
      } else {
        return unknown_key(prefix, name).in(place_of(path_, key.source()));
      }
      // The tables below place their own errors.
      if (!done) return located(std::move(done).error(), node.source());
    }
    return {};
  }

 private:
  Error located(Error error, const toml::source_region& at) const {
    if (error.detail.starts_with(path_ + ":")) return error;
    return std::move(error).in(place_of(path_, at));
  }

  const std::string& path_;
  const ConfigTables& tables_;
  Options& options_;
};

}  // namespace

Result<> read_config_file(const std::string& path, const Environment& environment,
                          Options& options) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Error{.slug = "config", .detail = "cannot read the config file " + path, .field = {}};
  }
  const std::string text(std::istreambuf_iterator<char>(file), {});
  toml::table table;
  try {
    table = toml::parse(text, path);
  } catch (const toml::parse_error& bad) {
    return Error{.slug = "config", .detail = std::string(bad.description()), .field = {}}.in(
        place_of(path, bad.source()));
  }
  struct stat status{};
  const bool others_read = ::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0;
  const ConfigTables tables(path, others_read, environment);
  return Reader(path, tables, options).read(table, "");
}

}  // namespace carillon
