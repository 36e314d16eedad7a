#include "http/host_rule.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

TEST(HostRule, ServesThisMachineAndAddresses) {
  const HostRule rule{std::vector<std::string>{}};
  for (const char* authority :
       {"localhost", "localhost:8080", "LocalHost", "localhost.", "127.0.0.1", "127.0.0.1:8080",
        "10.1.2.3:80", "[::1]", "[::1]:8080", "[2001:db8::1]:443", "localhost:"}) {
    EXPECT_TRUE(rule.serves(authority)) << authority;
  }
}

TEST(HostRule, RefusesNamesThatAnyoneMayPointHere) {
  const HostRule rule{std::vector<std::string>{}};
  for (const char* authority :
       {"evil.example", "evil.example:8080", "", ":8080", "localhost.evil.example", "xlocalhost",
        "127.0.0.1.evil.example", "127.1", "2130706433", "0x7f000001", "[::1", "[evil.example]",
        "[::1]evil.example", "[::1]:evil", "localhost:evil", "localhost..", "::1", "[127.0.0.1]"}) {
    EXPECT_FALSE(rule.serves(authority)) << authority;
  }
}

TEST(HostRule, ServesConfiguredNamesAndNothingBelowThem) {
  const HostRule rule{std::vector<std::string>{"Timers.example.com", "carillon"}};
  EXPECT_TRUE(rule.serves("timers.example.com:8080"));
  EXPECT_TRUE(rule.serves("TIMERS.example.com."));
  EXPECT_TRUE(rule.serves("carillon"));
  EXPECT_TRUE(rule.serves("localhost"));
  EXPECT_FALSE(rule.serves("a.timers.example.com"));
  EXPECT_FALSE(rule.serves("example.com"));
}

TEST(HostName, IsOneNameAndNoUrl) {
  for (const char* name : {"carillon", "timers.example.com", "my_host", "a-b.c."})
    EXPECT_TRUE(check_host_name(name)) << name;
  for (const char* name : {"", "a:8080", "http://a", "a/b", "*.example.com", ".example.com", "a b"})
    EXPECT_FALSE(check_host_name(name)) << name;
}

}  // namespace
}  // namespace carillon
