#include "engine/requests.h"

#include <cmath>

#include "shard/lane_shares.h"

namespace carillon {

Result<std::uint32_t> reserved_thousandths(double reserved) {
  if (!(reserved >= 0 && reserved * kLaneWhole <= kLanesReservedMax))
    return Error{"bad_value", "`reserved` must be from 0 to 0.9", "reserved"};
  return static_cast<std::uint32_t>(std::lround(reserved * kLaneWhole));
}

void throw_exception_from_error(const Refusal& error, const boost::source_location& where) {
  throw_exception_from_error(static_cast<const Error&>(error), where);
}

}  // namespace carillon
