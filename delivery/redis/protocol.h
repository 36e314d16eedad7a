// What is said to a Redis server, and what its answers mean. The words are hiredis'.
//
// Concurrency: none.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "delivery/redis/settings.h"
#include "delivery/sink.h"

struct redisReader;  // of hiredis

namespace carillon {

/// The field of an entry that holds the task's body. No header of a task may have this name.
inline constexpr std::string_view kRedisBodyField = "body";

/// Appends a command.
void append_redis_command(std::string& out, std::initializer_list<std::string_view> words);
/// Appends the XADD of a push.
void append_redis_add(std::string& out, const Push& push, const RedisSettings& target);

struct RedisReply {
  /// `other` is a type that no command of ours is answered with.
  enum class Type : std::uint8_t { status, error, integer, text, other };
  Type type = Type::other;
  std::string text;  // of all but an integer
  long long number = 0;

  [[nodiscard]] bool is_error() const { return type == Type::error; }
};

/// Takes a stream of bytes apart into replies. It keeps at most 80 KiB: arrays, which no command of
/// ours is answered with, are refused at their first byte.
class RedisReader {
 public:
  RedisReader();
  ~RedisReader();
  RedisReader(const RedisReader&) = delete;
  RedisReader& operator=(const RedisReader&) = delete;

  void feed(std::string_view bytes);
  /// The next whole reply; nothing: more is to come. Error: it speaks no Redis, or too much.
  [[nodiscard]] Result<std::optional<RedisReply>> next();

 private:
  struct Free {
    void operator()(redisReader* reader) const;
  };
  std::unique_ptr<redisReader, Free> reader_;
};

/// Whether an error says that the server takes nothing at the moment, whoever asks: it is full,
/// loading, a replica, or busy.
[[nodiscard]] bool is_redis_not_now(std::string_view error);

}  // namespace carillon
