#include "http/framing.h"

#include <string>

#include <gtest/gtest.h>

namespace carillon {
namespace {

constexpr FramingLimits kLimits{16384, 100, 8192};

std::string slug_of(std::string_view head) {
  const auto checked = check_head(head, kLimits);
  return checked ? "" : checked.error().slug;
}

TEST(FindHeadEnd, FindsItAlsoWhereItIsSplit) {
  const std::string head = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
  EXPECT_EQ(find_head_end(head + "body"), head.size());
  for (std::size_t looked = 0; looked < head.size(); ++looked) {
    EXPECT_EQ(find_head_end(std::string_view(head).substr(0, looked)), std::string_view::npos);
    EXPECT_EQ(find_head_end(head, looked), head.size()) << looked;
  }
}

TEST(CheckHead, TakesWhatIsWellFormed) {
  for (const char* head :
       {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
        "POST /v1/tasks HTTP/1.1\r\nhost: [::1]:8080\r\ncontent-length: 12\r\n\r\n",
        "POST / HTTP/1.1\r\nHOST:a\r\nTRANSFER-ENCODING: \tChunked \r\n\r\n",
        "GET http://a/b HTTP/1.1\r\nhost: a\r\nx:\r\nx: \xc3\xa9\r\n\r\n",
        "GET / HTTP/1.1\r\nhost:\r\n\r\n"}) {
    EXPECT_EQ(slug_of(head), "") << head;
  }
}

TEST(CheckHead, RefusesWhatIsNot) {
  const std::string host = "host: a\r\n";
  for (const std::string& head : {
           std::string("\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n"),
           "GET  / HTTP/1.1\r\n" + host + "\r\n",
           "GET /a b HTTP/1.1\r\n" + host + "\r\n",
           "GET / HTTP/1.1 \r\n" + host + "\r\n",
           "GET / HTTP/1.2\r\n" + host + "\r\n",
           "GET / HTTP/2.0\r\n" + host + "\r\n",
           "GET / http/1.1\r\n" + host + "\r\n",
           "GET /\r\n" + host + "\r\n",
           "G(T / HTTP/1.1\r\n" + host + "\r\n",
           "GET /\x01 HTTP/1.1\r\n" + host + "\r\n",
           "GET /\xff HTTP/1.1\r\n" + host + "\r\n",
           std::string("GET / HTTP/1.1\r\n\r\n"),
           "GET / HTTP/1.1\r\n" + host + host + "\r\n",
           std::string("GET / HTTP/1.1\r\nhost: a, b\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nhost: a@b\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nhost: a/b\r\n\r\n"),
           "GET / HTTP/1.1\r\n" + host + " folded\r\n\r\n",
           "GET / HTTP/1.1\r\n" + host + "x: a\r\n\tfolded\r\n\r\n",
           "GET / HTTP/1.1\r\n" + host + "x\r\n\r\n",
           "GET / HTTP/1.1\r\n" + host + "x : a\r\n\r\n",
           "GET / HTTP/1.1\r\n" + host + ": a\r\n\r\n",
           "GET / HTTP/1.1\r\n" + host + "x: a\rb\r\n\r\n",
           "GET / HTTP/1.1\r\n" + host + "x: a\nb: c\r\n\r\n",
           "GET / HTTP/1.1\r\n" + host + std::string("x: a\0b\r\n\r\n", 10),
           "POST / HTTP/1.1\r\n" + host + "content-length: 1\r\ncontent-length: 1\r\n\r\n",
           "POST / HTTP/1.1\r\n" + host + "content-length: 1, 1\r\n\r\n",
           "POST / HTTP/1.1\r\n" + host + "content-length: +1\r\n\r\n",
           "POST / HTTP/1.1\r\n" + host + "content-length: 0x1\r\n\r\n",
           "POST / HTTP/1.1\r\n" + host + "content-length:\r\n\r\n",
           "POST / HTTP/1.1\r\n" + host + "content-length: 9999999999999999999\r\n\r\n",
           "POST / HTTP/1.1\r\n" + host + "transfer-encoding: gzip\r\n\r\n",
           "POST / HTTP/1.1\r\n" + host + "transfer-encoding: gzip, chunked\r\n\r\n",
           "POST / HTTP/1.1\r\n" + host + "transfer-encoding: chunked, chunked\r\n\r\n",
           "POST / HTTP/1.1\r\n" + host + "transfer-encoding: chunked, gzip\r\n\r\n",
           "POST / HTTP/1.1\r\n" + host + "transfer-encoding: xchunked\r\n\r\n",
           "POST / HTTP/1.1\r\n" + host + "transfer-encoding:\r\n\r\n",
           "POST / HTTP/1.1\r\n" + host +
               "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
           "POST / HTTP/1.1\r\n" + host + "transfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n",
           "POST / HTTP/1.0\r\n" + host + "transfer-encoding: chunked\r\n\r\n",
       }) {
    EXPECT_EQ(slug_of(head), "bad_request") << head;
  }
}

TEST(CheckHead, LimitsWhatIsTooLong) {
  const std::string start = "GET / HTTP/1.1\r\nhost: a\r\n";
  std::string fields = start;
  for (int i = 1; i < 100; ++i) fields += "x: y\r\n";
  EXPECT_EQ(slug_of(fields + "\r\n"), "");
  EXPECT_EQ(slug_of(fields + "x: y\r\n\r\n"), "headers_too_large");
  EXPECT_EQ(slug_of(start + "x: " + std::string(16384, 'y') + "\r\n\r\n"), "headers_too_large");
  const auto with_target = [](std::size_t length) {
    return "GET /" + std::string(length - 1, 'a') + " HTTP/1.1\r\nhost: a\r\n\r\n";
  };
  EXPECT_EQ(slug_of(with_target(8192)), "");
  EXPECT_EQ(slug_of(with_target(8193)), "uri_too_long");
}

TEST(CheckPartialHead, RefusesAsSoonAsItCannotBecomeGood) {
  EXPECT_TRUE(check_partial_head("GET /", kLimits));
  EXPECT_TRUE(check_partial_head("GET /" + std::string(8000, 'a'), kLimits));
  EXPECT_EQ(check_partial_head("GET /" + std::string(9000, 'a'), kLimits).error().slug,
            "uri_too_long");
  EXPECT_EQ(
      check_partial_head("GET / HTTP/1.1\r\nx: " + std::string(17000, 'a'), kLimits).error().slug,
      "headers_too_large");
}

}  // namespace
}  // namespace carillon
