#include "net/egress.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

using boost::asio::ip::make_address;
using boost::asio::ip::tcp;

Egress make(const Egress::Settings& settings) {
  Result<Egress> egress = Egress::make(settings);
  EXPECT_TRUE(egress) << egress.error().detail;
  return *egress;
}

bool may_connect(const Egress& egress, std::string_view address,
                 std::string_view host = "name.example", unsigned short port = 80) {
  return bool(egress.check_endpoint(host, tcp::endpoint(make_address(address), port)));
}

TEST(Egress, RefusesWhatNobodyMayReachWhateverTheSettings) {
  const Egress open;
  const Egress opened =
      make({.allow_private = true, .allow = {"0.0.0.0/0", "::/0", "name.example"}, .deny = {}});
  for (const char* address :
       {"0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.0.1", "224.0.0.1", "255.255.255.255",
        "240.0.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "::", "fe80::1", "febf::1",
        "ff02::1", "fd00:ec2::254", "fd20:ce::254",
        // The same inside another address.
        "::ffff:169.254.169.254", "::ffff:0.0.0.0", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1",
        "::169.254.169.254", "2001:0:1234:5678:0:0:5601:5601"}) {
    EXPECT_FALSE(may_connect(open, address)) << address;
    EXPECT_FALSE(may_connect(opened, address)) << address;
    EXPECT_FALSE(open.check_host(address)) << address;
  }
}

TEST(Egress, AllowsPrivateAddressesOnlyIfToldTo) {
  const Egress open;
  const Egress strict = make({.allow_private = false, .allow = {}, .deny = {}});
  for (const char* address : {"127.0.0.1",         "127.9.9.9",
                              "10.0.0.1",          "172.16.0.1",
                              "172.31.255.255",    "192.168.1.1",
                              "100.64.0.1",        "100.127.255.255",
                              "198.18.0.1",        "::1",
                              "fc00::1",           "fdff::1",
                              "fec0::1",           "::ffff:10.0.0.1",
                              "64:ff9b::10.0.0.1", "2002:0a00:0001::1",
                              "64:ff9b:1::1",      "2001:db8::1",
                              "192.0.2.1",         "100::1"}) {
    EXPECT_TRUE(may_connect(open, address)) << address;
    EXPECT_FALSE(may_connect(strict, address)) << address;
    EXPECT_FALSE(strict.check_host(address)) << address;
  }
  for (const char* address :
       {"1.1.1.1", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "192.167.1.1",
        "9.255.255.255", "11.0.0.0", "2606:4700::1", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1",
        "2002:0101:0101::1"}) {
    EXPECT_TRUE(may_connect(open, address)) << address;
    EXPECT_TRUE(may_connect(strict, address)) << address;
  }
  EXPECT_FALSE(strict.check_host("localhost"));
  EXPECT_FALSE(strict.check_host("a.localhost"));
  EXPECT_TRUE(open.check_host("localhost"));
}

TEST(Egress, DenyWinsOverAllow) {
  const Egress egress = make({.allow_private = true,
                              .allow = {"10.0.0.0/8", ".example.com"},
                              .deny = {"10.1.0.0/16", "bad.example.com", "2001:470::/32"}});
  EXPECT_TRUE(may_connect(egress, "10.0.0.1"));
  EXPECT_FALSE(may_connect(egress, "10.1.2.3"));
  EXPECT_FALSE(may_connect(egress, "::ffff:10.1.2.3"));
  EXPECT_TRUE(may_connect(egress, "1.1.1.1", "good.example.com"));
  EXPECT_FALSE(may_connect(egress, "10.1.2.3", "good.example.com"));
  EXPECT_FALSE(may_connect(egress, "1.1.1.1", "bad.example.com"));
  EXPECT_FALSE(egress.check_host("bad.example.com"));
  EXPECT_FALSE(may_connect(egress, "2001:470::1", "good.example.com"));
}

TEST(Egress, WithAnAllowListOnlyWhatIsOnItMayBeReached) {
  const Egress egress =
      make({.allow_private = false, .allow = {"10.0.0.7", "Hooks.Example.com"}, .deny = {}});
  EXPECT_TRUE(may_connect(egress, "10.0.0.7"));
  EXPECT_FALSE(may_connect(egress, "10.0.0.8"));
  EXPECT_FALSE(may_connect(egress, "1.1.1.1"));
  EXPECT_TRUE(may_connect(egress, "1.1.1.1", "hooks.example.com"));
  EXPECT_TRUE(may_connect(egress, "192.168.0.1", "hooks.example.com"));
  EXPECT_FALSE(may_connect(egress, "1.1.1.1", "sub.hooks.example.com"));

  const Egress names = make({.allow_private = true, .allow = {".example.com"}, .deny = {}});
  EXPECT_TRUE(names.check_host("example.com"));
  EXPECT_TRUE(names.check_host("a.b.example.com"));
  EXPECT_FALSE(names.check_host("badexample.com"));
  EXPECT_FALSE(names.check_host("example.com.evil.net"));
}

TEST(Egress, RefusesOurOwnEndpoints) {
  Egress egress;
  egress.refuse_endpoint(tcp::endpoint(make_address("127.0.0.1"), 8080));
  EXPECT_FALSE(may_connect(egress, "127.0.0.1", "x", 8080));
  EXPECT_FALSE(may_connect(egress, "::ffff:127.0.0.1", "x", 8080));
  EXPECT_TRUE(may_connect(egress, "127.0.0.1", "x", 8081));
  EXPECT_TRUE(may_connect(egress, "127.0.0.2", "x", 8080));
}

TEST(Egress, AnUnspecifiedOwnEndpointMeansEveryLocalAddress) {
  Egress egress;
  egress.refuse_endpoint(tcp::endpoint(make_address("0.0.0.0"), 8080));
  EXPECT_FALSE(may_connect(egress, "127.0.0.1", "x", 8080));
  EXPECT_FALSE(may_connect(egress, "127.3.2.1", "x", 8080));
  EXPECT_FALSE(may_connect(egress, "::1", "x", 8080));
  EXPECT_TRUE(may_connect(egress, "127.0.0.1", "x", 8081));
  EXPECT_TRUE(may_connect(egress, "1.1.1.1", "x", 8080));
}

TEST(Egress, SaysWhichRuleRefusedAndWhichEntryIsWrong) {
  const Egress strict = make({.allow_private = false, .allow = {}, .deny = {}});
  const Result<> refused =
      strict.check_endpoint("db.internal", tcp::endpoint(make_address("10.0.0.1"), 80));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().slug, "target_denied");
  EXPECT_NE(refused.error().detail.find("db.internal (10.0.0.1)"), std::string::npos);
  EXPECT_NE(refused.error().detail.find("egress.private"), std::string::npos);

  for (const char* entry : {"", ".", "10.0.0.0/33", "10.0.0/8", "http://x", "a b", "1.2.3.4.5",
                            "::1/129", "123", "10.0.0.0/4294967304", "::1/4294967296"}) {
    const Result<Egress> bad = Egress::make({.allow_private = true, .allow = {}, .deny = {entry}});
    ASSERT_FALSE(bad) << entry;
    EXPECT_EQ(bad.error().slug, "config");
    EXPECT_NE(bad.error().detail.find("egress.deny"), std::string::npos) << bad.error().detail;
    EXPECT_NE(bad.error().detail.find('"' + std::string(entry) + '"'), std::string::npos);
  }
}

}  // namespace
}  // namespace carillon
