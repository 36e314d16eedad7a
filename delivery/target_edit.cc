// What a client's PUT or PATCH makes of a target.
//
// Both are one merge of JSON: a PATCH over all that the target is, a PUT over the few members that
// it leaves alone. So each setting is merged, whoever adds it, and is then read as always.

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <vector>

#include <simdjson.h>

#include "base/json.h"
#include "base/text.h"
#include "delivery/kind.h"
#include "delivery/target.h"

namespace carillon {
namespace {

namespace dom = simdjson::dom;

using Members = std::vector<std::pair<std::string_view, dom::element>>;
using SameName = bool (*)(std::string_view, std::string_view);

bool same_key(std::string_view a, std::string_view b) {
  return a == b;
}

/// What an answer has and nobody sets.
constexpr auto kAnsweredOnly = std::to_array<std::string_view>(
    {"name", "waiting", "backlog", "in_flight", "held", "silent_shards"});

Result<Members> members_of(dom::object object, SameName same) {
  Members members;
  std::set<std::string> seen;
  for (const auto& [key, value] : object) {
    if (!seen.insert(same == same_key ? std::string(key) : lower_case(key)).second) {
      return Error{"duplicate_field", "the field is there twice", std::string(key)};
    }
    members.emplace_back(key, value);
  }
  return members;
}

const dom::element* find(const Members& members, std::string_view name, SameName same) {
  const auto found =
      std::ranges::find_if(members, [&](const auto& member) { return same(member.first, name); });
  return found == members.end() ? nullptr : &found->second;
}

/// Writes `base` as changed by `patch` (RFC 7396). Where `keeps_null`, a null changes nothing.
Result<> merge(JsonWriter& json, const Members& base, const Members& patch, SameName same,
               bool keeps_null);

Result<> merge_value(JsonWriter& json, std::string_view key, const dom::element* base,
                     const dom::element& patch) {
  json.key(key);
  dom::object object;
  if (patch.get_object().get(object) != simdjson::SUCCESS) {
    json.raw(std::string(simdjson::minify(patch)));
    return {};
  }
  const SameName same = key == "headers" ? same_in_any_case : same_key;
  Result<Members> changes = members_of(object, same);
  if (!changes) return changes.error();
  Members old;
  if (dom::object was; base != nullptr && base->get_object().get(was) == simdjson::SUCCESS) {
    old = *members_of(was, same);
  }
  json.begin_object();
  if (Result<> ok = merge(json, old, *changes, same, false); !ok) return ok;
  json.end_object();
  return {};
}

Result<> merge(JsonWriter& json, const Members& base, const Members& patch, SameName same,
               bool keeps_null) {
  for (const auto& [key, value] : base) {
    const dom::element* change = find(patch, key, same);
    if (change == nullptr || (change->is_null() && keeps_null)) {
      json.key(key).raw(std::string(simdjson::minify(value)));
    } else if (!change->is_null()) {
      if (Result<> ok = merge_value(json, key, &value, *change); !ok) return ok;
    }
  }
  for (const auto& [key, value] : patch) {
    if (value.is_null() || find(base, key, same) != nullptr) continue;
    if (Result<> ok = merge_value(json, key, nullptr, value); !ok) return ok;
  }
  return {};
}

/// Whether the target stays of the kind that it is of.
bool keeps_kind(const Members& changes, TargetEdit edit, const TargetSettings& before) {
  const dom::element* named = find(changes, "kind", same_key);
  std::string_view kind = kinds().front()->name;
  if (named == nullptr && edit == TargetEdit::merge) return true;
  if (named != nullptr && !named->is_null() && named->get_string().get(kind) != simdjson::SUCCESS) {
    return true;  // the reader says that it is no name
  }
  return kind == before.own->kind().name;
}

/// The target as a client sees it; of a PUT the members that it need not repeat. What another kind
/// has of its own is not among them.
std::string base_of(const Members& changes, TargetEdit edit, const TargetSettings* before) {
  if (before == nullptr) return "{}";
  const bool same_kind = keeps_kind(changes, edit, *before);
  if (edit == TargetEdit::merge) {
    return same_kind ? format_target(*before, Secrets::shown) : format_shared_settings(*before);
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  if (same_kind) before->own->write_kept(json);
  json.key("paused").boolean(before->paused).end_object();
  return out;
}

/// Takes out of `members` what is answered only. Error: it names another target.
Result<> drop_answered(Members& members, std::string_view name) {
  const dom::element* named = find(members, "name", same_key);
  if (named != nullptr && !named->is_null()) {
    std::string_view text;
    if (named->get_string().get(text) != simdjson::SUCCESS || text != name) {
      return Error{"bad_value", "`name` is not the name in the path", "name"};
    }
  }
  std::erase_if(members, [](const auto& member) {
    return std::ranges::find(kAnsweredOnly, member.first) != kAnsweredOnly.end();
  });
  return {};
}

Result<std::string> merged(std::string_view name, std::string_view json, TargetEdit edit,
                           const TargetSettings* before) {
  // The grammar and the depth; the parser for documents is more lenient than ours.
  JsonReader strict;
  if (Result<> ok = strict.parse(json, [](auto) { return Result<>(); }); !ok) return ok.error();
  dom::parser base_parser;
  dom::parser patch_parser;
  dom::object base;
  dom::object patch;
  if (patch_parser.parse(json).get_object().get(patch) != simdjson::SUCCESS) {
    return Error{"bad_type", "wanted an object", ""};
  }
  Result<Members> changes = members_of(patch, same_key);
  if (!changes) return changes.error();
  if (Result<> ok = drop_answered(*changes, name); !ok) return ok.error();
  const std::string base_text = base_of(*changes, edit, before);
  if (base_parser.parse(base_text).get_object().get(base) != simdjson::SUCCESS) {
    return Error{"internal", "the target cannot be read back", ""};
  }
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  Result<> ok =
      merge(writer, *members_of(base, same_key), *changes, same_key, edit == TargetEdit::replace);
  if (!ok) return ok.error();
  writer.end_object();
  return Result<std::string>(boost::system::in_place_value, std::move(out));
}

}  // namespace

Result<TargetSettings> edit_target(std::string_view name, std::string_view json, TargetEdit edit,
                                   const TargetSettings* before, const std::string& secrets_dir) {
  const Result<std::string> whole = merged(name, json, edit, before);
  if (!whole) return whole.error();
  Result<TargetSettings> settings = parse_stored_target(*whole);
  if (!settings) return settings;
  settings->name = name;
  const bool same_kind = before != nullptr && &before->own->kind() == &settings->own->kind();
  const KindSettings* const old = same_kind ? before->own.get() : nullptr;
  auto own = settings->own->with_hidden_kept(old);
  if (!own) return own.error();
  settings->own = *std::move(own);
  if (Result<> ok = check_target(*settings); !ok) return ok.error();
  if (Result<> ok = settings->own->check_named_by_client(secrets_dir, old); !ok) return ok.error();
  return settings;
}

}  // namespace carillon
