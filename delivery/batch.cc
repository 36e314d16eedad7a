#include "delivery/batch.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "delivery/body_json.h"
#include "delivery/http/answer.h"

namespace carillon {
namespace {

using simdjson::ondemand::value;

constexpr std::string_view kBegin = R"({"tasks":[)";
constexpr std::string_view kEnd = "]}";
constexpr std::size_t kAnswerBytes = std::size_t{64} << 10;
constexpr std::size_t kAnswerBytesEach = 256;
constexpr std::int64_t kRetryAfterMax = 30 * 24 * 3600;  // seconds

/// How long the answer to so many tasks may be.
std::size_t answer_bytes_max(std::size_t tasks) {
  return kAnswerBytes + tasks * kAnswerBytesEach;
}

void append_body(JsonWriter& json, const TaskContent& content) {
  if (content.content_type.empty()) return;
  if (content.body_is_json) {
    json.key("payload").raw(content.body);
    return;
  }
  append_body_members(json, content.body, content.content_type);
}

/// "application/json", or a type that ends in "+json".
bool is_json(std::string_view content_type) {
  const std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
  constexpr std::string_view kSuffix = "+json";
  return same_in_any_case(type, "application/json") ||
         (type.size() > kSuffix.size() &&
          same_in_any_case(type.substr(type.size() - kSuffix.size()), kSuffix));
}

/// What an answer says of one task.
struct Said {
  std::string_view webhook_id;
  std::uint32_t status = 0;
  std::optional<Millis> retry_after{};
};

Result<Said> read_one(value from) {
  Said said;
  simdjson::ondemand::object object;
  if (from.get_object().get(object) != simdjson::SUCCESS) {
    return Error{"bad_type", "a result is no object", "results"};
  }
  for (auto member : object) {
    std::string_view key;
    value inner;
    if (member.unescaped_key().get(key) != simdjson::SUCCESS ||
        member.value().get(inner) != simdjson::SUCCESS) {
      return Error{"bad_json", "a result cannot be read", "results"};
    }
    if (key == "webhook_id") {
      const Result<std::string_view> id = json_string(inner, key);
      if (!id) return id.error();
      said.webhook_id = *id;
    } else if (key == "status") {
      const Result<std::int64_t> status = json_integer(inner, key, 100, 599);
      if (!status) return status.error();
      said.status = static_cast<std::uint32_t>(*status);
    } else if (key == "retry_after") {
      const Result<std::int64_t> seconds = json_integer(inner, key, 0, kRetryAfterMax);
      if (!seconds) return seconds.error();
      said.retry_after = std::chrono::seconds(*seconds);
    }
  }
  if (said.webhook_id.empty() || said.status == 0) {
    return Error{"missing_field", "a result has `webhook_id` and `status`", "results"};
  }
  return said;
}

/// Hands each result to `take`; what is not about results is passed over.
template <typename Take>
Result<> read_results(value from, const Take& take) {
  simdjson::ondemand::object object;
  if (from.get_object().get(object) != simdjson::SUCCESS) return {};
  for (auto member : object) {
    std::string_view key;
    value inner;
    if (member.unescaped_key().get(key) != simdjson::SUCCESS ||
        member.value().get(inner) != simdjson::SUCCESS) {
      return Error{"bad_json", "it cannot be read", ""};
    }
    if (key != "results") continue;
    const auto each = [&](std::size_t, value result) -> Result<> {
      const Result<Said> said = read_one(result);
      return said ? take(*said) : said.error();
    };
    if (Result<> ok = for_each_element(inner, key, each); !ok) return ok;
  }
  return {};
}

PushResult failed(const PushResult& whole, std::string why) {
  PushResult result = whole;
  result.kind = PushResult::Kind::failed;
  result.error = std::move(why);
  return result;
}

}  // namespace

std::string format_batched(const TaskContent& content, WallTime due, std::uint32_t attempt) {
  std::string out;
  out.reserve(content.body.size() + 256);
  JsonWriter json(out);
  json.begin_object().key("id").string(content.id);
  json.key("webhook_id").string(content.webhook_id);
  json.key("due_at").moment(due).key("attempt").unsigned_integer(attempt);
  if (!content.group.empty()) json.key("group").string(content.group);
  json.key("lane").string(content.lane.empty() ? kDefaultLaneName : content.lane);
  json.key("headers").begin_object();
  for (const Header& header : content.headers) json.key(header.name).string(header.value);
  json.end_object();
  append_body(json, content);
  json.end_object();
  return out;
}

std::size_t batch_bytes(std::size_t tasks, std::size_t bytes) {
  return kBegin.size() + bytes + (tasks - 1) + kEnd.size();
}

Push make_batch(std::shared_ptr<const TargetSettings> target,
                std::span<const std::string_view> tasks, std::string webhook_id) {
  std::size_t bytes = 0;
  for (const std::string_view task : tasks) bytes += task.size();
  const std::size_t id_bytes = webhook_id.size();
  std::string row = std::move(webhook_id);
  row.reserve(id_bytes + batch_bytes(tasks.size(), bytes));
  row.append(kBegin);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (i > 0) row += ',';
    row.append(tasks[i]);
  }
  row.append(kEnd);
  Push push;
  push.target = std::move(target);
  push.row = std::make_shared<const std::string>(std::move(row));
  push.content.webhook_id = std::string_view(*push.row).substr(0, id_bytes);
  push.content.body = std::string_view(*push.row).substr(id_bytes);
  push.content.body_is_json = true;
  push.content.content_type = "application/json";
  push.tasks = static_cast<std::uint32_t>(tasks.size());
  push.answer_body_bytes = answer_bytes_max(tasks.size()) + 1;
  return push;
}

std::vector<PushResult> batch_results(JsonReader& reader, const PushResult& whole,
                                      std::span<const std::string_view> webhook_ids) {
  std::vector<PushResult> results(webhook_ids.size(), whole);
  const std::string_view body = whole.answer_body;
  for (PushResult& result : results) result.answer_body.clear();
  if (whole.kind != PushResult::Kind::delivered) return results;
  if (whole.answer_type && !is_json(*whole.answer_type)) return results;
  const auto all_failed = [&](const std::string& why) {
    return std::vector<PushResult>(
        webhook_ids.size(),
        failed(PushResult{.status = whole.status, .may_be_seen = whole.may_be_seen},
               "the answer's results: " + why));
  };
  if (body.size() > answer_bytes_max(webhook_ids.size())) return all_failed("they are too long");
  if (!whole.answer_is_whole) return all_failed("they are cut");
  if (body.empty()) return results;
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < webhook_ids.size(); ++i) places.emplace(webhook_ids[i], i);
  const Result<> read = reader.parse(body, [&](value from) {
    return read_results(from, [&](const Said& said) -> Result<> {
      const auto place = places.find(said.webhook_id);
      if (place == places.end()) {
        return Error{"bad_value", "no task of the push has that webhook_id", "webhook_id"};
      }
      results[place->second] = result_of(said.status, said.retry_after);
      results[place->second].may_be_seen = whole.may_be_seen;
      return {};
    });
  });
  return read ? results : all_failed(read.error().detail);
}

}  // namespace carillon
