// The API as an OpenAPI 3.1 document: api/openapi.json, as it was when this was built.
#pragma once

#include <string_view>

namespace carillon {

extern const std::string_view kOpenApi;

}  // namespace carillon
