// How a request is framed: rules that are checked before the parser sees it.
//
// Two programs that disagree on where a request ends can be played against each other (request
// smuggling), so whatever is not plainly one thing is refused. Beast's parser takes folded headers,
// repeated and listed lengths, codings that end in something else than `chunked`, and a missing or
// second Host; none of these passes here.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace carillon {

struct FramingLimits {
  std::size_t header_bytes_max = 0;
  std::size_t header_fields_max = 0;
  std::size_t uri_bytes_max = 0;
};

/// The length of the head at the start of `bytes`, its empty line included; npos where that has not
/// come yet. `from`: how far an earlier call has looked.
[[nodiscard]] std::size_t find_head_end(std::string_view bytes, std::size_t from = 0);

/// Checks a whole head (as find_head_end delimits it). Errors: bad_request with the rule that is
/// broken, uri_too_long, headers_too_large. After any of them the connection must be closed.
[[nodiscard]] Result<> check_head(std::string_view head, const FramingLimits& limits);

/// What to answer for a head that is too long before its end has come: uri_too_long or
/// headers_too_large; nothing where it may still become a good one.
[[nodiscard]] Result<> check_partial_head(std::string_view bytes, const FramingLimits& limits);

}  // namespace carillon
