// A body that is no JSON itself, as members of a JSON object.
#pragma once

#include <string_view>

#include <simdjson.h>

#include "base/json.h"
#include "net/base64.h"

namespace carillon {

/// `body`, or `body_base64` where it is not UTF-8, and `content_type`.
inline void append_body_members(JsonWriter& json, std::string_view body,
                                std::string_view content_type) {
  if (simdjson::validate_utf8(body.data(), body.size())) {
    json.key("body").string(body);
  } else {
    json.key("body_base64").string(base64_encode(body));
  }
  json.key("content_type").string(content_type);
}

}  // namespace carillon
