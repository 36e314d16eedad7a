#include "delivery/redis/protocol.h"

#include <algorithm>
#include <array>
#include <deque>
#include <new>
#include <vector>

#include <hiredis/hiredis.h>

#include "delivery/broker/properties.h"

namespace carillon {
namespace {

/// Answers are a few words; what is longer is none to a question of ours.
constexpr std::size_t kReplyBytesMax = 64 * 1024;

/// The words of one command.
class Words {
 public:
  void add(std::string_view word) {
    words_.push_back(word.data() == nullptr ? "" : word.data());
    sizes_.push_back(word.size());
  }
  void add_copy(std::string_view word) { add(copies_.emplace_back(word)); }

  void append_to(std::string& out) {
    char* command = nullptr;
    const auto size = redisFormatCommandArgv(&command, static_cast<int>(words_.size()),
                                             words_.data(), sizes_.data());
    if (size < 0) throw std::bad_alloc();
    out.append(command, static_cast<std::size_t>(size));
    redisFreeCommand(command);
  }

 private:
  std::vector<const char*> words_;
  std::vector<std::size_t> sizes_;
  std::deque<std::string> copies_;
};

/// The functions that hiredis makes replies with, but for one of arrays.
redisReplyObjectFunctions* functions_without_arrays(const redisReader& made) {
  static redisReplyObjectFunctions functions = [&made] {
    redisReplyObjectFunctions its = *made.fn;
    // The type of the length differs between versions.
    its.createArray = [](const redisReadTask*, auto) -> void* { return nullptr; };
    return its;
  }();
  return &functions;
}

RedisReply::Type type_of(int type) {
  switch (type) {
    case REDIS_REPLY_STATUS:
      return RedisReply::Type::status;
    case REDIS_REPLY_ERROR:
      return RedisReply::Type::error;
    case REDIS_REPLY_INTEGER:
      return RedisReply::Type::integer;
    case REDIS_REPLY_STRING:
      return RedisReply::Type::text;
    default:
      return RedisReply::Type::other;
  }
}

}  // namespace

void append_redis_command(std::string& out, std::initializer_list<std::string_view> words) {
  Words command;
  for (const std::string_view word : words) command.add(word);
  command.append_to(out);
}

void append_redis_add(std::string& out, const Push& push, const RedisSettings& target) {
  Words command;
  command.add("XADD");
  command.add(target.stream);
  if (target.maxlen > 0) {
    // About so many: an exact bound would cost the server more than the add.
    command.add("MAXLEN");
    command.add("~");
    command.add_copy(std::to_string(target.maxlen));
  }
  command.add("*");
  command.add(kRedisBodyField);
  command.add(push.content.body);
  for_each_property(push, [&](std::string_view name, std::string_view value) {
    command.add_copy(name);
    command.add_copy(value);
  });
  command.append_to(out);
}

RedisReader::RedisReader() : reader_(redisReaderCreate()) {
  if (!reader_) throw std::bad_alloc();
  reader_->fn = functions_without_arrays(*reader_);
}

RedisReader::~RedisReader() = default;

void RedisReader::Free::operator()(redisReader* reader) const {
  redisReaderFree(reader);
}

void RedisReader::feed(std::string_view bytes) {
  // What fails here the next call of `next` says.
  redisReaderFeed(reader_.get(), bytes.data(), bytes.size());
}

Result<std::optional<RedisReply>> RedisReader::next() {
  void* got = nullptr;
  if (redisReaderGetReply(reader_.get(), &got) != REDIS_OK) {
    return Error{"network", "it does not speak Redis' protocol", ""};
  }
  if (got == nullptr) {
    if (reader_->len - reader_->pos <= kReplyBytesMax) return std::optional<RedisReply>();
    return Error{"network", "an answer of over 64 KiB", ""};
  }
  auto* const reply = static_cast<redisReply*>(got);
  RedisReply out;
  out.type = type_of(reply->type);
  if (out.type == RedisReply::Type::integer) {
    out.number = reply->integer;
  } else if (reply->str != nullptr) {
    out.text.assign(reply->str, reply->len);
  }
  freeReplyObject(reply);
  return std::optional<RedisReply>(std::move(out));
}

bool is_redis_not_now(std::string_view error) {
  static constexpr std::array<std::string_view, 7> kWords = {
      "OOM", "READONLY", "LOADING", "BUSY", "MISCONF", "NOREPLICAS", "MASTERDOWN"};
  return std::ranges::find(kWords, error.substr(0, error.find(' '))) != kWords.end();
}

}  // namespace carillon
