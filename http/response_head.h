// The head of an answer.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "http/message.h"

namespace carillon {

enum class Persistence { keep_alive, keep_alive_1_0, close };

/// Whether its status lets an answer have a body at all.
[[nodiscard]] inline bool has_body(const HttpResponse& response) {
  constexpr int kNoContent = 204;
  constexpr int kNotModified = 304;
  return response.status != kNoContent && response.status != kNotModified;
}

/// Appends the status line and all headers of `response`. `date`: the Date header's value.
/// The body's length is that of `response.body`, or unknown where there is a `stream`: then
/// `chunked` says whether pieces are framed or the end of the connection ends it.
void append_response_head(std::string& out, const HttpResponse& response, Persistence persistence,
                          bool chunked, std::string_view date);

/// An HTTP date for the current second of the machine's clock; made once a second.
class HttpDate {
 public:
  [[nodiscard]] std::string_view now();

 private:
  std::chrono::sys_seconds second_{};
  std::string text_;
};

}  // namespace carillon
