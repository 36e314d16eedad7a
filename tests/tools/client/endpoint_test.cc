#include "tools/client/endpoint.h"

#include <gtest/gtest.h>

namespace carillon::client {
namespace {

TEST(Endpoint, HttpWithPort) {
  const auto endpoint = parse_endpoint("http://127.0.0.1:8080");
  ASSERT_TRUE(endpoint);
  EXPECT_FALSE(endpoint->tls);
  EXPECT_EQ(endpoint->host, "127.0.0.1");
  EXPECT_EQ(endpoint->port, "8080");
  EXPECT_EQ(parse_endpoint("http://127.0.0.1:8080/")->port, "8080");
}

TEST(Endpoint, DefaultPortIsTheSchemes) {
  EXPECT_EQ(parse_endpoint("http://h")->port, "80");
  EXPECT_EQ(parse_endpoint("https://h")->port, "443");
  EXPECT_TRUE(parse_endpoint("https://h")->tls);
}

TEST(Endpoint, Ipv6IsTakenOutOfItsBrackets) {
  const auto endpoint = parse_endpoint("http://[::1]:81");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->host, "::1");
  EXPECT_EQ(endpoint->port, "81");
  EXPECT_EQ(parse_endpoint("http://[::1]")->port, "80");
}

TEST(Endpoint, UnixPath) {
  EXPECT_EQ(parse_endpoint("unix:/run/carillon.sock")->unix_path, "/run/carillon.sock");
}

TEST(Endpoint, EverythingElseIsRefused) {
  for (const auto* text :
       {"", "h:80", "ftp://h", "http://", "http://:80", "http://h:", "http://h:8x", "http://h/path",
        "http://user@h", "http://[::1", "unix:", "http://h:123456", "http://h?x"}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_FALSE(endpoint) << text;
    EXPECT_EQ(endpoint.error().slug, "bad_server") << text;
  }
}

TEST(PercentEncoded, OnlyUnreservedCharactersStay) {
  EXPECT_EQ(percent_encoded("user:1/a b"), "user%3A1%2Fa%20b");
  EXPECT_EQ(percent_encoded("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encoded("\xc3\xa4"), "%C3%A4");
}

}  // namespace
}  // namespace carillon::client
