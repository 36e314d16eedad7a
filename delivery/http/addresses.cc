#include "delivery/http/addresses.h"

#include <algorithm>
#include <tuple>

namespace carillon {

void Addresses::set(std::span<const Endpoint> endpoints) {
  std::vector<Address> all;
  for (const Endpoint& endpoint : endpoints) {
    const Address* known = find(endpoint);
    const bool again = std::ranges::find(all, endpoint, &Address::endpoint) != all.end();
    if (!again) all.push_back(known != nullptr ? *known : Address{.endpoint = endpoint});
  }
  all_ = std::move(all);
}

std::optional<Addresses::Endpoint> Addresses::best(Moment now,
                                                   const std::optional<Endpoint>& avoid) {
  if (all_.empty()) return std::nullopt;
  if (all_.size() > 1) sort(now, avoid);
  return all_.front().endpoint;
}

std::vector<Addresses::Endpoint> Addresses::in_order(Moment now,
                                                     const std::optional<Endpoint>& avoid) {
  sort(now, avoid);
  std::vector<Endpoint> endpoints;
  for (const Address& address : all_) endpoints.push_back(address.endpoint);
  return endpoints;
}

void Addresses::sort(Moment now, const std::optional<Endpoint>& avoid) {
  const auto rank = [&](const Address& address) {
    const Moment dead_until = address.dead_until > now ? address.dead_until : Moment{};
    return std::tuple(dead_until, address.endpoint == avoid, address.under_way, address.used_at);
  };
  std::ranges::stable_sort(all_, {}, rank);
}

void Addresses::begin(const Endpoint& endpoint) {
  Address* address = find(endpoint);
  if (address == nullptr) return;
  ++address->under_way;
  address->used_at = ++uses_;
}

void Addresses::end(const Endpoint& endpoint) {
  Address* address = find(endpoint);
  if (address != nullptr && address->under_way > 0) --address->under_way;
}

void Addresses::note_dead(const Endpoint& endpoint, Moment now) {
  if (Address* address = find(endpoint)) address->dead_until = now + kDeadFor;
}

void Addresses::note_alive(const Endpoint& endpoint) {
  if (Address* address = find(endpoint)) address->dead_until = Moment{};
}

Addresses::Address* Addresses::find(const Endpoint& endpoint) {
  const auto found = std::ranges::find(all_, endpoint, &Address::endpoint);
  return found == all_.end() ? nullptr : &*found;
}

}  // namespace carillon
