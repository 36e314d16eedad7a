#include "engine/requests.h"

namespace carillon {

void throw_exception_from_error(const Refusal& error, const boost::source_location& where) {
  throw_exception_from_error(static_cast<const Error&>(error), where);
}

}  // namespace carillon
