#include <algorithm>
#include <array>

#include "delivery/amqp/settings.h"
#include "delivery/http/settings.h"
#include "delivery/kafka/settings.h"
#include "delivery/kind.h"
#include "delivery/nats/settings.h"
#include "delivery/redis/settings.h"

namespace carillon {

Result<> KindSettings::check_key(std::string_view /*key*/) const {
  return Error{"key_not_allowed",
               "A target of the kind `" + std::string(kind_->name) + "` takes no `key`.", "key"};
}

std::span<const TargetKind* const> kinds() {
  static constexpr std::array<const TargetKind*, 5> kAll = {&kHttpKind, &kRedisKind, &kAmqpKind,
                                                            &kNatsKind, &kKafkaKind};
  return kAll;
}

const TargetKind* find_kind(std::string_view name) {
  const auto found = std::ranges::find(kinds(), name, &TargetKind::name);
  return found == kinds().end() ? nullptr : *found;
}

}  // namespace carillon
