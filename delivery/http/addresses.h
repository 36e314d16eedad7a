// The addresses of one origin, and which of them a push goes to.
//
// Operation: pushes are spread: of the addresses that are not known to be dead the next one is that
// with the fewest pushes under way, and of those with as many the one that was used the longest
// ago. An address that could not be connected to comes after all others for 30 s.
//
// Concurrency: none; the time comes from outside.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

namespace carillon {

class Addresses {
 public:
  using Endpoint = boost::asio::ip::tcp::endpoint;
  using Moment = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kDeadFor{30};

  /// From now on it is these. What is known of those that were there before is kept.
  void set(std::span<const Endpoint> endpoints);
  [[nodiscard]] std::size_t size() const { return all_.size(); }
  /// Which a push goes to that had better not go to `avoid`; nothing where there is none.
  [[nodiscard]] std::optional<Endpoint> best(Moment now, const std::optional<Endpoint>& avoid);
  /// All, the best first.
  [[nodiscard]] std::vector<Endpoint> in_order(Moment now, const std::optional<Endpoint>& avoid);

  /// A push to it begins; it ends.
  void begin(const Endpoint& endpoint);
  void end(const Endpoint& endpoint);
  /// It could not be connected to; it could.
  void note_dead(const Endpoint& endpoint, Moment now);
  void note_alive(const Endpoint& endpoint);

 private:
  struct Address {
    Endpoint endpoint;
    Moment dead_until{};
    std::uint32_t under_way = 0;
    std::uint64_t used_at = 0;  // by the count of uses
  };
  void sort(Moment now, const std::optional<Endpoint>& avoid);
  [[nodiscard]] Address* find(const Endpoint& endpoint);

  std::vector<Address> all_;
  std::uint64_t uses_ = 0;
};

}  // namespace carillon
