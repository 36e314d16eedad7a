#include <algorithm>
#include <array>

#include "api/handlers.h"
#include "api/names.h"
#include "api/task_json.h"
#include "delivery/push_header.h"
#include "delivery/retry_json.h"
#include "net/base64.h"
#include "net/url.h"

namespace carillon {
namespace {

namespace ondemand = simdjson::ondemand;

Error at_field(Error error, std::string_view field) {
  error.field = std::string(field);
  return error;
}

bool is_null(ondemand::value& value) {
  bool null = false;
  return value.is_null().get(null) == simdjson::SUCCESS && null;
}

Result<std::string_view> checked_name(std::string_view name, std::string_view field) {
  if (const auto checked = check_name(name, field); !checked) return checked.error();
  return name;
}

Result<std::string_view> read_name(ondemand::value value, std::string_view field) {
  const auto name = json_string(value, field);
  if (!name) return name;
  return checked_name(*name, field);
}

/// What the broker can make of it is for the target's kind to say.
Result<std::string_view> read_key(ondemand::value value) {
  constexpr std::size_t kBytesMax = 1024;
  const auto key = json_string(value, "key");
  if (key && (key->empty() || key->size() > kBytesMax))
    return Error{"bad_value", "`key` has 1 to 1,024 bytes", "key"};
  return key;
}

/// A target's name, or what is meant as a URL: the engine, which knows the ones that are named
/// again and again, takes it apart.
Result<std::string_view> read_target(ondemand::value value) {
  const auto target = json_string(value, "target");
  if (!target || is_url(*target)) return target;
  return checked_name(*target, "target");
}

Result<Millis> read_positive(ondemand::value value, std::string_view field) {
  const auto duration = json_duration(value, field);
  if (duration && *duration < Millis(1))
    return Error{"bad_value", "`" + std::string(field) + "` must be at least 1 ms",
                 std::string(field)};
  return duration;
}

Result<Millis> read_merge_within(ondemand::value value) {
  const auto within = read_positive(value, "merge_within");
  if (within && *within > MergeRule::kWithinMax)
    return Error{"bad_value", "`merge_within` must be at most 1h", "merge_within"};
  return within;
}

Result<RetryChoice> read_policy(ondemand::value value) {
  const auto retry = read_retry(value);
  if (retry) return retry;
  const std::string& inner = retry.error().field;
  return at_field(retry.error(), inner.empty() || inner == "retry" ? "retry" : "retry." + inner);
}

Result<std::vector<Header>> read_headers(ondemand::value value) {
  std::vector<Header> headers;
  const Error no_strings{"bad_type", "`headers` must be an object whose values are strings",
                         "headers"};
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return no_strings;
  PushHeaderRules rules;
  for (auto member : object) {
    std::string_view name;
    std::string_view text;
    ondemand::value inner;
    if (member.unescaped_key().get(name) != simdjson::SUCCESS ||
        member.value().get(inner) != simdjson::SUCCESS ||
        inner.get_string().get(text) != simdjson::SUCCESS)
      return no_strings;
    if (const auto taken = rules.take(name, text); !taken) return taken.error();
    headers.push_back({name, text});
  }
  return headers;
}

/// The fields that say what is pushed, of which at most one brings the bytes.
class BodyFields {
 public:
  explicit BodyFields(JsonScratch& scratch) : scratch_(scratch) {}

  /// False: `key` is none of them.
  Result<bool> read(std::string_view key, ondemand::value value) {
    if (key == "payload") return payload(value);
    if (key == "body") return bytes("body", json_string(value, key));
    if (key == "body_base64") return bytes("body_base64", decode(value));
    if (key != "content_type") return false;
    const auto type = json_string(value, key);
    if (!type) return type.error();
    if (type->empty())
      return Error{"bad_value", "`content_type` must not be empty; leave it out", "content_type"};
    // It is sent as a header, so it must be fit for one.
    if (const auto checked = check_push_header("x", *type); !checked)
      return at_field(checked.error(), key);
    content_type_ = *type;
    return true;
  }

  /// What was read as a whole; nothing where no body was given.
  Result<std::optional<ChangeRequest::Body>> finish() const {
    if (conflict_)
      return Error{"conflicting_fields", "Send at most one of `payload`, `body` and `body_base64`",
                   source_};
    if (!content_type_.empty() && (source_.empty() || source_ == "payload"))
      return Error{"conflicting_fields", "`content_type` goes with `body` or `body_base64`",
                   "content_type"};
    if (source_.empty() && payload_is_null_)
      return std::optional(ChangeRequest::Body{"null", "application/json", true});
    if (source_.empty()) return std::optional<ChangeRequest::Body>();
    const std::string_view otherwise = source_ == "payload" ? "application/json"
                                       : source_ == "body"  ? "text/plain; charset=utf-8"
                                                            : "application/octet-stream";
    return std::optional(ChangeRequest::Body{
        bytes_, content_type_.empty() ? otherwise : content_type_, source_ == "payload"});
  }

 private:
  /// `null` is a payload like any other; beside a body it is a field that has no value.
  Result<bool> payload(ondemand::value value) {
    if (!is_null(value)) return bytes("payload", scratch_.reader.raw(value));
    payload_is_null_ = true;
    return true;
  }
  Result<bool> bytes(std::string_view source, const Result<std::string_view>& read) {
    if (!read) return read.error();
    conflict_ = conflict_ || !source_.empty();
    source_ = source;
    bytes_ = *read;
    return true;
  }
  Result<std::string_view> decode(ondemand::value value) {
    const auto text = json_string(value, "body_base64");
    if (!text) return text;
    auto decoded = base64_decode(*text);
    if (!decoded)
      return Error{"bad_value", "`body_base64` must be base64 (RFC 4648) with padding",
                   "body_base64"};
    return std::string_view(scratch_.decoded.emplace_back(std::move(*decoded)));
  }

  JsonScratch& scratch_;
  std::string source_;
  std::string_view bytes_;
  std::string_view content_type_;
  bool payload_is_null_ = false;
  bool conflict_ = false;
};

Result<IfExists> read_if_exists(ondemand::value value) {
  constexpr std::array<std::string_view, 6> kNames = {"reject",   "keep",   "replace",
                                                      "earliest", "latest", "once"};
  const auto name = json_string(value, "if_exists");
  if (!name) return name.error();
  const auto* found = std::ranges::find(kNames, *name);
  if (found == kNames.end())
    return Error{"bad_value", "`if_exists` must be reject, keep, replace, earliest, latest or once",
                 "if_exists"};
  return static_cast<IfExists>(found - kNames.begin());
}

Result<> check_one_due(bool due_at, bool delay) {
  if (due_at && delay)
    return Error{"conflicting_fields", "Send one of `due_at` and `delay`, not both", "delay"};
  return {};
}

/// Whether a task that comes too late is to be a dead letter.
Result<bool> read_on_expire(ondemand::value value) {
  if (is_null(value)) return false;
  const auto text = json_string(value, "on_expire");
  if (!text) return text.error();
  if (*text != "drop" && *text != "dead")
    return Error{"bad_value", "`on_expire` must be drop or dead", "on_expire"};
  return *text == "dead";
}

/// Stores what `read` answers, or passes its error on.
template <typename Into, typename Value>
Result<bool> store(Into& into, const Result<Value>& read) {
  if (!read) return read.error();
  into = *read;
  return true;
}

class TaskParser {
 public:
  explicit TaskParser(JsonScratch& scratch) : body_(scratch) {}

  Result<AddRequest> parse(ondemand::value value) {
    constexpr std::string_view kKnown[] = {
        "id",          "due_at",       "delay",     "target",       "payload",  "body",
        "body_base64", "content_type", "headers",   "group",        "lane",     "key",
        "retry",       "expire_after", "on_expire", "merge_within", "if_exists"};
    const auto done = for_each_field(
        value, kKnown,
        [this](std::string_view key, ondemand::value inner) { return field(key, inner); },
        Nulls::given);
    if (!done) return done.error();
    const auto body = body_.finish();
    if (!body) return body.error();
    if (*body) {
      task_.content.body = (*body)->bytes;
      task_.content.content_type = (*body)->content_type;
      task_.content.body_is_json = (*body)->is_json;
    }
    if (const auto one = check_one_due(task_.due_at.has_value(), task_.delay.has_value()); !one)
      return one.error();
    if (!task_.due_at && !task_.delay)
      return Error{"missing_field", "One of `due_at` and `delay` is required", "due_at"};
    if (task_.content.target.empty())
      return Error{"missing_field", "`target` is required: a target's name or an http(s) URL",
                   "target"};
    if (task_.content.dies_late && !task_.content.expire_after)
      return Error{"missing_field", "`on_expire` goes with `expire_after`", "expire_after"};
    return std::move(task_);
  }

  /// As far as it was read.
  [[nodiscard]] std::string_view id() const { return task_.content.id; }

 private:
  Result<bool> field(std::string_view key, ondemand::value value) {
    if (key != "payload" && is_null(value)) return true;
    TaskContent& content = task_.content;
    if (key == "id") return store(content.id, read_name(value, key));
    if (key == "due_at") return store(task_.due_at, json_moment(value, key));
    if (key == "delay") return store(task_.delay, json_duration(value, key));
    if (key == "target") return store(content.target, read_target(value));
    if (key == "group") return store(content.group, read_name(value, key));
    if (key == "lane") return store(content.lane, read_name(value, key));
    if (key == "key") return store(content.key, read_key(value));
    if (key == "headers") return store(content.headers, read_headers(value));
    if (key == "expire_after") return store(content.expire_after, read_positive(value, key));
    if (key == "on_expire") return store(content.dies_late, read_on_expire(value));
    if (key == "merge_within") return store(content.merge_within, read_merge_within(value));
    if (key == "retry") return store(content.retry, read_policy(value));
    if (key == "if_exists") return store(task_.if_exists, read_if_exists(value));
    return body_.read(key, value);
  }

  AddRequest task_;
  BodyFields body_;
};

class ChangeParser {
 public:
  explicit ChangeParser(JsonScratch& scratch) : body_(scratch) {}

  Result<ChangeRequest> parse(ondemand::value value) {
    constexpr std::string_view kKnown[] = {"due_at",       "delay",       "target",       "payload",
                                           "body",         "body_base64", "content_type", "headers",
                                           "group",        "lane",        "key",          "retry",
                                           "expire_after", "on_expire",   "merge_within"};
    const auto done = for_each_field(
        value, kKnown,
        [this](std::string_view key, ondemand::value inner) { return field(key, inner); },
        Nulls::given);
    if (!done) return done.error();
    const auto body = body_.finish();
    if (!body) return body.error();
    change_.body = *body;
    if (const auto one = check_one_due(change_.due_at.has_value(), change_.delay.has_value()); !one)
      return one.error();
    if (!any_) return Error{"missing_field", "Name at least one field to change", ""};
    return std::move(change_);
  }

 private:
  Result<bool> field(std::string_view key, ondemand::value value) {
    any_ = true;
    if (key == "due_at") return store(change_.due_at, json_moment(value, key));
    if (key == "delay") return store(change_.delay, json_duration(value, key));
    if (key == "target") return store(change_.target, read_target(value));
    if (key == "on_expire") return store(change_.dies_late, read_on_expire(value));
    if (const auto taken = body_.read(key, value); !taken || *taken) return taken;
    return removable(key, value);
  }

  /// The fields that a task may be without.
  Result<bool> removable(std::string_view key, ondemand::value value) {
    const bool remove = is_null(value);
    if (key == "group" || key == "lane") {
      auto& name = key == "group" ? change_.group : change_.lane;
      if (!remove) return store(name, read_name(value, key));
      name = std::string_view();
    } else if (key == "key") {
      if (!remove) return store(change_.key, read_key(value));
      change_.key = std::string_view();
    } else if (key == "headers") {
      if (!remove) return store(change_.headers, read_headers(value));
      change_.headers.emplace();
    } else if (key == "expire_after") {
      change_.expire_after.emplace();
      if (!remove) return store(*change_.expire_after, read_positive(value, key));
    } else if (key == "merge_within") {
      change_.merge_within.emplace();
      if (!remove) return store(*change_.merge_within, read_merge_within(value));
    } else {
      change_.retry.emplace();
      if (!remove) return store(*change_.retry, read_policy(value));
    }
    return true;
  }

  ChangeRequest change_;
  BodyFields body_;
  bool any_ = false;
};

}  // namespace

Result<AddRequest> parse_task(ondemand::value value, JsonScratch& scratch, std::string* id) {
  TaskParser parser(scratch);
  auto task = parser.parse(value);
  if (!task && id != nullptr) *id = parser.id();
  return task;
}

Result<ChangeRequest> parse_change(ondemand::value value, JsonScratch& scratch) {
  return ChangeParser(scratch).parse(value);
}

Result<TaskFilter> parse_filter(ondemand::value value, std::string* operation) {
  constexpr std::string_view kAll[] = {"group", "target", "due_from", "due_to", "operation"};
  const std::span<const std::string_view> known(kAll, operation == nullptr ? 4 : 5);
  TaskFilter filter;
  const auto done = for_each_field(
      value, known, [&](std::string_view key, ondemand::value inner) -> Result<bool> {
        if (key == "operation") return read_operation(inner, *operation);
        if (key == "due_from") return store(filter.due_from, json_moment(inner, key));
        if (key == "due_to") return store(filter.due_to, json_moment(inner, key));
        const auto name = json_string(inner, key);
        if (!name) return name.error();
        (key == "group" ? filter.group : filter.target) = std::string(*name);
        return true;
      });
  if (!done) return done.error();
  return filter;
}

}  // namespace carillon
