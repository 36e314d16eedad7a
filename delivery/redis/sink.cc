#include "delivery/redis/sink.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "delivery/redis/connection.h"
#include "delivery/redis/protocol.h"
#include "delivery/redis/settings.h"

namespace carillon {

Result<> RedisSink::check_push(const Push& push) const {
  const auto hides_body = [](const Header& header) {
    return same_in_any_case(header.name, kRedisBodyField);
  };
  if (std::ranges::none_of(push.content.headers, hides_body)) return {};
  return Error{"network", "a header named `body` has no place beside an entry's body", ""};
}

void RedisSink::append_key(std::string& key, const TargetSettings& target) const {
  key.push_back(' ');
  append_number(key, redis_settings(target).replicas);
}

std::shared_ptr<BrokerConnection> RedisSink::make_connection(BrokerConnection::Parts parts) const {
  return std::make_shared<RedisConnection>(std::move(parts));
}

}  // namespace carillon
