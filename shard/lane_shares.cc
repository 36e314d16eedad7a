#include "shard/lane_shares.h"

#include <algorithm>

namespace carillon {
namespace {

constexpr std::uint64_t kStride = std::uint64_t{1} << 30;  // a push of a lane of weight 1

/// The slots that are set aside and not in use, but for those of `lane`.
std::uint64_t missing_beside(std::span<const LaneClaim> claims, std::size_t lane) {
  std::uint64_t missing = 0;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const LaneClaim& claim = claims[i];
    if (i != lane && claim.share->in_flight < claim.set_aside)
      missing += claim.set_aside - claim.share->in_flight;
  }
  return missing;
}

bool has_its_own(const LaneClaim& claim) {
  return claim.share->in_flight < claim.set_aside;
}

}  // namespace

void SharedLimit::set_aside(std::span<LaneClaim> claims, std::uint64_t limit) {
  std::uint64_t sum = 0;
  for (LaneClaim& claim : claims) {
    claim.set_aside = 0;
    if (limit < 2 || claim.reserved == 0) continue;
    claim.set_aside = std::max<std::uint64_t>(claim.reserved * limit / kLaneWhole, 1);
    sum += claim.set_aside;
  }
  // Too many have the one slot that each has at the least.
  while (limit >= 2 && sum > limit - 1) {
    LaneClaim* smallest = nullptr;
    for (LaneClaim& claim : claims) {
      if (claim.set_aside == 0) continue;
      if (smallest == nullptr || claim.reserved < smallest->reserved ||
          (claim.reserved == smallest->reserved && claim.lane > smallest->lane)) {
        smallest = &claim;
      }
    }
    --smallest->set_aside;
    --sum;
  }
}

bool SharedLimit::admits(std::span<const LaneClaim> claims, std::size_t at, std::uint64_t limit,
                         std::uint64_t in_flight) {
  if (in_flight >= limit) return false;
  return has_its_own(claims[at]) || limit - in_flight > missing_beside(claims, at);
}

std::size_t SharedLimit::next(std::span<const LaneClaim> claims, std::uint64_t limit,
                              std::uint64_t in_flight, bool by_turns) const {
  std::size_t best = claims.size();
  if (in_flight >= limit) return best;
  by_turns = by_turns || limit == 1;
  // Whoever earned most or, of slots, has the smallest part of what is set aside for it.
  const auto goes_before = [&](const LaneClaim& one, const LaneClaim& other) {
    if (by_turns) return credits_[one.lane] > credits_[other.lane];
    return one.share->in_flight * other.set_aside < other.share->in_flight * one.set_aside;
  };
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const LaneClaim& claim = claims[i];
    const bool its_own = by_turns ? credits_[claim.lane] >= kLaneWhole : has_its_own(claim);
    if (!claim.waits || !its_own || !admits(claims, i, limit, in_flight)) continue;
    if (best == claims.size() || goes_before(claim, claims[best])) best = i;
  }
  if (best < claims.size()) return best;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    if (!claims[i].waits || !admits(claims, i, limit, in_flight)) continue;
    if (best == claims.size() || claims[i].share->pass < claims[best].share->pass) best = i;
  }
  return best;
}

bool SharedLimit::begin(std::span<const LaneClaim> claims, std::size_t at, std::uint64_t limit,
                        bool by_turns, LaneShare& share) {
  by_turns = by_turns || limit == 1;
  const LaneClaim& begun = claims[at];
  const bool by_weight = by_turns ? credits_[begun.lane] < kLaneWhole : !has_its_own(begun);
  ++share.in_flight;
  if (by_weight) {
    now_ = std::max(now_, share.pass);
    share.pass = now_ + kStride / begun.weight;
  } else if (by_turns) {
    credits_[begun.lane] = static_cast<std::uint16_t>(credits_[begun.lane] - kLaneWhole);
  }
  if (!by_turns) return by_weight;
  for (const LaneClaim& claim : claims) {
    if (!claim.waits && claim.lane != begun.lane) continue;
    const std::uint32_t earned = credits_[claim.lane] + claim.reserved;
    credits_[claim.lane] = static_cast<std::uint16_t>(std::min(earned, 2 * kLaneWhole));
  }
  return by_weight;
}

void SharedLimit::join(std::uint32_t weight, LaneShare& share) {
  share.pass += kStride / weight;
}

}  // namespace carillon
