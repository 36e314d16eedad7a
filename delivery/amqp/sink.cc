#include "delivery/amqp/sink.h"

#include <utility>

#include "base/text.h"
#include "delivery/amqp/connection.h"
#include "delivery/amqp/settings.h"

namespace carillon {

Result<> AmqpSink::check_push(const Push& push) const {
  if (!push.content.key.empty()) {
    if (Result<> ok = amqp_settings(*push.target).check_key(push.content.key); !ok) return ok;
  }
  constexpr std::size_t kNameBytesMax = 128;  // of a key of a table
  for (const Header& header : push.content.headers) {
    // With these a message names further queues itself.
    if (same_in_any_case(header.name, "cc") || same_in_any_case(header.name, "bcc")) {
      return Error{"network",
                   "a header named `" + lower_case(header.name) + "` has no place in a message",
                   ""};
    }
    if (header.name.size() > kNameBytesMax) {
      return Error{"network", "the name of a header has more than 128 bytes", ""};
    }
  }
  return {};
}

void AmqpSink::append_key(std::string& key, const TargetSettings& target) const {
  key.append(" ").append(amqp_settings(target).exchange);
}

std::shared_ptr<BrokerConnection> AmqpSink::make_connection(BrokerConnection::Parts parts) const {
  return std::make_shared<AmqpConnection>(std::move(parts));
}

}  // namespace carillon
