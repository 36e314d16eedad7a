#include "http/response_head.h"

#include <array>
#include <cstdio>

#include <boost/beast/http/status.hpp>

#include "base/text.h"
#include "base/time.h"

namespace carillon {
namespace {

std::string_view reason_of(int status) {
  const auto reason = boost::beast::http::obsolete_reason(
      boost::beast::http::int_to_status(static_cast<unsigned>(status)));
  return {reason.data(), reason.size()};
}

}  // namespace

void append_response_head(std::string& out, const HttpResponse& response, Persistence persistence,
                          bool chunked, std::string_view date) {
  out += "HTTP/1.1 ";
  append_number(out, response.status);
  out += ' ';
  out += reason_of(response.status);
  out += "\r\ndate: ";
  out += date;
  out += "\r\ncache-control: ";
  out += response.cache_control;
  // An answer is what it says, whatever a browser may think it looks like.
  out += "\r\nx-content-type-options: nosniff\r\n";
  if (has_body(response)) {
    out += "content-type: ";
    out += response.content_type;
    if (!response.stream) {
      out += "\r\ncontent-length: ";
      append_number(out, response.body.size());
    } else if (chunked) {
      out += "\r\ntransfer-encoding: chunked";
    }
    out += "\r\n";
  }
  out += response.headers;
  if (persistence == Persistence::close) out += "connection: close\r\n";
  if (persistence == Persistence::keep_alive_1_0) out += "connection: keep-alive\r\n";
  out += "\r\n";
}

std::string_view HttpDate::now() {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto second = std::chrono::floor<std::chrono::seconds>(SystemClock().wall());
  if (second == second_ && !text_.empty()) return text_;
  second_ = second;
  const auto day = std::chrono::floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(second - day);
  std::array<char, 64> buffer;
  const int length = std::snprintf(
      buffer.data(), buffer.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
      kDays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
      kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
      static_cast<int>(time.seconds().count()));
  text_.assign(buffer.data(), static_cast<std::size_t>(length));
  return text_;
}

}  // namespace carillon
