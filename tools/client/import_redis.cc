// carillon import --redis: what waits in a sorted set, as pollers keep it: the score is when a
// member is due, and the member is an id, or JSON.
//
// The set is looked through with ZSCAN, which shows each member that stays there at least once.

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <utility>

#include <hiredis/hiredis.h>
#include <simdjson.h>

#include "base/json.h"
#include "base/text.h"
#include "delivery/redis/settings.h"
#include "tools/client/import_source.h"

namespace carillon::client {
namespace {

constexpr const char* kUsualUrl = "redis://127.0.0.1:6379/0";
constexpr timeval kPatience{.tv_sec = 30, .tv_usec = 0};
/// Below it a score is seconds, above it milliseconds: the year 5138, and March 1973.
constexpr double kSecondsBelow = 1e11;
/// Before March 1973 a score is no moment but something else.
constexpr double kLeast = 1e11;
constexpr double kMost = 9e15;

using Reply = std::unique_ptr<redisReply, void (*)(void*)>;
using Connection = std::unique_ptr<redisContext, void (*)(redisContext*)>;

Error unreachable(const std::string& why) {
  return {.slug = "unreachable", .detail = "Redis: " + why, .field = {}};
}

class ImportRedis final : public ImportSource {
 public:
  ImportRedis(Connection connection, std::string key, ImportOptions options)
      : connection_(std::move(connection)), key_(std::move(key)), options_(std::move(options)) {}

  /// Error slug: bad_source where it is no sorted set.
  [[nodiscard]] Result<> log_in(const Url& url) {
    const Result<std::string> password = import_password(options_);
    if (!password) return password.error();
    if (!password->empty()) {
      const bool is_named = !options_.username.empty();
      const auto reply =
          is_named ? ask({"AUTH", options_.username, *password}) : ask({"AUTH", *password});
      if (!reply) return reply.error();
    }
    const std::string database = url.path.size() > 1 ? url.path.substr(1) : "0";
    if (const auto reply = ask({"SELECT", database}); !reply) return reply.error();
    const Result<Reply> type = ask({"TYPE", key_});
    if (!type) return type.error();
    const std::string_view found((*type)->str, (*type)->len);
    if (found == "zset" || found == "none") return {};
    return Error{"bad_source", "\"" + key_ + "\" is no sorted set, but a " + std::string(found),
                 ""};
  }

  Result<std::vector<ImportedTask>> next(std::size_t count) override {
    std::vector<ImportedTask> tasks;
    given_.clear();
    while (page_.empty() && !is_whole_) {
      if (Result<> ok = scan(count); !ok) return ok.error();
    }
    for (std::size_t bytes = 0;
         !page_.empty() && tasks.size() < count && bytes < kImportBytesMax;) {
      const Member& member = page_.front();
      const double milliseconds =
          std::ceil(member.score < kSecondsBelow ? member.score * 1000 : member.score);
      if (!(milliseconds >= kLeast)) {
        return Error{"bad_source",
                     "the score of the member \"" + member.text.substr(0, 100) +
                         "\" is no moment: seconds or milliseconds since 1970",
                     ""};
      }
      const auto due = static_cast<std::int64_t>(std::min(milliseconds, kMost));
      tasks.push_back({task_of(member.text, due), "member \"" + member.text.substr(0, 100) + "\""});
      bytes += member.text.size();
      given_.push_back(std::move(page_.front().text));
      page_.pop_front();
    }
    return tasks;
  }

  Result<> settled(const std::vector<unsigned>& statuses) override {
    if (!options_.removes) return {};
    std::vector<std::string> words = {"ZREM", key_};
    for (std::size_t i = 0; i < statuses.size(); ++i) {
      if (statuses[i] >= 200 && statuses[i] < 300) words.push_back(given_[i]);
    }
    if (words.size() == 2) return {};
    const auto reply = ask(words);
    return reply ? Result<>() : reply.error();
  }

 private:
  struct Member {
    std::string text;
    double score = 0;
  };

  [[nodiscard]] Result<> scan(std::size_t count) {
    const Result<Reply> page = ask({"ZSCAN", key_, cursor_, "COUNT", std::to_string(count)});
    if (!page) return page.error();
    if ((*page)->elements != 2 || (*page)->element[1]->elements % 2 != 0) {
      return unreachable("it does not speak Redis");
    }
    cursor_.assign((*page)->element[0]->str, (*page)->element[0]->len);
    is_whole_ = cursor_ == "0";
    const redisReply& found = *(*page)->element[1];
    for (std::size_t i = 0; i < found.elements; i += 2) {
      const std::string score(found.element[i + 1]->str, found.element[i + 1]->len);
      page_.push_back({std::string(found.element[i]->str, found.element[i]->len),
                       std::strtod(score.c_str(), nullptr)});
    }
    return {};
  }

  [[nodiscard]] Result<Reply> ask(const std::vector<std::string>& words) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
      texts.push_back(word.data());
      sizes.push_back(word.size());
    }
    Reply reply(static_cast<redisReply*>(redisCommandArgv(
                    connection_.get(), static_cast<int>(texts.size()), texts.data(), sizes.data())),
                freeReplyObject);
    if (reply == nullptr) return unreachable(connection_->errstr);
    if (reply->type == REDIS_REPLY_ERROR) {
      // The rest of an answer to AUTH may hold the password.
      const std::string_view text(reply->str, reply->len);
      return unreachable(std::string(words[0] == "AUTH" ? text.substr(0, text.find(' ')) : text));
    }
    return reply;
  }

  /// The id of JSON that is an object with a member `id` is that.
  [[nodiscard]] std::string task_of(const std::string& member, std::int64_t due) {
    simdjson::dom::element parsed;
    const bool is_json = parser_.parse(member).get(parsed) == simdjson::SUCCESS &&
                         (parsed.is_object() || parsed.is_array());
    std::string id = is_json ? "imported:" + import_digest(member) : import_id(member);
    std::string_view text;
    std::int64_t number = 0;
    if (is_json && parsed["id"].get(text) == simdjson::SUCCESS) id = import_id(text);
    if (is_json && parsed["id"].get(number) == simdjson::SUCCESS) id = std::to_string(number);
    std::string out;
    JsonWriter json(out);
    json.begin_object().key("id").string(id).key("due_at").integer(due);
    append_import_members(json, options_);
    if (is_json) json.key("payload").raw(member);
    json.end_object();
    return out;
  }

  Connection connection_;
  const std::string key_;
  const ImportOptions options_;
  std::string cursor_ = "0";
  bool is_whole_ = false;
  std::deque<Member> page_;         // not given yet
  std::vector<std::string> given_;  // the members of the tasks that were given last
  simdjson::dom::parser parser_;
};

}  // namespace

Result<std::unique_ptr<ImportSource>> open_import_redis(const std::string& key,
                                                        const ImportOptions& options) {
  const Result<Url> url = import_url(options, kUsualUrl, kRedisSchemes);
  if (!url) return url.error();
  Connection connection(redisConnectWithTimeout(url->host.c_str(), url->port_number(), kPatience),
                        redisFree);
  if (connection == nullptr || connection->err != 0) {
    return unreachable(connection == nullptr ? "no memory" : connection->errstr);
  }
  redisSetTimeout(connection.get(), kPatience);
  auto source = std::make_unique<ImportRedis>(std::move(connection), key, options);
  if (Result<> in = source->log_in(*url); !in) return in.error();
  return std::unique_ptr<ImportSource>(std::move(source));
}

}  // namespace carillon::client
