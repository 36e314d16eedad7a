#include "delivery/nats/sink.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "delivery/nats/connection.h"
#include "delivery/nats/settings.h"

namespace carillon {

Result<> NatsSink::check_push(const Push& push) const {
  if (!push.content.key.empty()) {
    if (Result<> ok = nats_settings(*push.target).check_key(push.content.key); !ok) return ok;
  }
  // With these a message says to the servers what becomes of it.
  const auto is_own = [](const Header& header) {
    constexpr std::string_view kOwn = "nats-";
    return same_in_any_case(header.name.substr(0, kOwn.size()), kOwn);
  };
  const auto found = std::ranges::find_if(push.content.headers, is_own);
  if (found == push.content.headers.end()) return {};
  return Error{"network",
               "a header named `" + lower_case(found->name) + "` has no place in a message", ""};
}

void NatsSink::append_key(std::string& key, const TargetSettings& target) const {
  key.append(" ").append(nats_settings(target).creds_file);
}

std::shared_ptr<BrokerConnection> NatsSink::make_connection(BrokerConnection::Parts parts) const {
  return std::make_shared<NatsConnection>(std::move(parts));
}

}  // namespace carillon
