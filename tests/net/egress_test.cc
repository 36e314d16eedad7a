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

TEST(Egress, WhatIsNoHostIsDeniedWhateverTheSettings) {
  const Egress open;
  const Egress opened =
      make({.allow_private = true, .allow = {"0.0.0.0/0", "::/0", "name.example"}, .deny = {}});
  for (const char* address : {"0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "240.0.0.1",
                              "::", "ff02::1", "::ffff:0.0.0.0", "64:ff9b::240.0.0.1"}) {
    EXPECT_FALSE(may_connect(open, address)) << address;
    EXPECT_FALSE(may_connect(opened, address)) << address;
    EXPECT_FALSE(open.check_host(address)) << address;
  }
}

TEST(Egress, MetadataServicesAreDeniedInEveryFormWhateverTheSettings) {
  for (const std::string address :
       {"169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.0.23", "169.254.42.42",
        "100.100.100.200", "100.80.80.80", "100.96.0.96", "168.63.129.16", "192.0.0.192",
        "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42",
        "fd00:a9fe:a9fe::1", "fe80::a9fe:a9fe",
        // 169.254.169.254 inside another address.
        "::ffff:169.254.169.254", "::ffff:0:a9fe:a9fe", "::169.254.169.254",
        "64:ff9b::169.254.169.254", "64:ff9b:1::a9fe:a9fe", "64:ff9b:1:a9fe:a9:fe00::",
        "64:ff9b:1:fea9:fe:a9fe::", "64:ff9b:1:77:a9:fea9:fe00::", "2002:a9fe:a9fe::1",
        "2001:0:1234:5678:0:0:5601:5601", "2001:0:a9fe:a9fe::1", "2001:db8::5efe:a9fe:a9fe",
        "2001:db8::200:5efe:a9fe:a9fe",
        // The others inside another.
        "::ffff:100.100.100.200", "64:ff9b:1::a83f:8110"}) {
    EXPECT_FALSE(may_connect(Egress(), address)) << address;
    EXPECT_FALSE(Egress().check_host(address)) << address;
    const Egress opened = make({.allow_private = true,
                                .allow = {address, "169.254.0.0/16", "::/0", "name.example"},
                                .deny = {}});
    EXPECT_FALSE(may_connect(opened, address)) << address;
  }
  for (const char* name : {"metadata.google.internal", "metadata.tencentyun.com"}) {
    EXPECT_FALSE(make({.allow = {name}, .deny = {}}).check_host(name)) << name;
  }
}

TEST(Egress, LinkLocalIsDeniedUnlessAnEntryMeansIt) {
  const auto allowing = [](std::vector<std::string> entries) {
    return make({.allow_private = true, .allow = std::move(entries), .deny = {}});
  };
  for (const char* address :
       {"169.254.1.2", "fe80::1", "febf::1", "::ffff:169.254.1.2", "64:ff9b::169.254.1.2"}) {
    EXPECT_FALSE(may_connect(Egress(), address)) << address;
    EXPECT_FALSE(Egress().check_host(address)) << address;
    EXPECT_FALSE(may_connect(allowing({"0.0.0.0/0", "::/0", "name.example"}), address)) << address;
    EXPECT_TRUE(may_connect(allowing({"169.254.0.0/16", "fe80::/10"}), address)) << address;
  }
  EXPECT_TRUE(may_connect(allowing({"169.254.1.2"}), "169.254.1.2"));
  EXPECT_TRUE(allowing({"169.254.1.2"}).check_host("169.254.1.2"));
  EXPECT_FALSE(may_connect(allowing({"169.254.1.2"}), "169.254.1.3"));
  EXPECT_FALSE(may_connect(make({.allow = {"169.254.0.0/16"}, .deny = {"169.254.1.2"}}),  //
                           "169.254.1.2"));
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

TEST(Egress, AllowIsAnExceptionAndClosesNothing) {
  const Egress egress = make({.allow_private = true, .allow = {"10.0.0.7"}, .deny = {}});
  EXPECT_TRUE(may_connect(egress, "10.0.0.8"));
  EXPECT_TRUE(may_connect(egress, "1.1.1.1"));
  EXPECT_TRUE(egress.check_host("other.example"));

  const Egress no_private =
      make({.allow_private = false, .allow = {"10.0.0.7", "Hooks.Example.com."}, .deny = {}});
  EXPECT_TRUE(may_connect(no_private, "10.0.0.7"));
  EXPECT_TRUE(may_connect(no_private, "::ffff:10.0.0.7"));
  EXPECT_FALSE(may_connect(no_private, "10.0.0.8"));
  EXPECT_TRUE(may_connect(no_private, "1.1.1.1"));
  EXPECT_TRUE(may_connect(no_private, "192.168.0.1", "hooks.example.com"));
  EXPECT_FALSE(may_connect(no_private, "192.168.0.1", "sub.hooks.example.com"));
}

TEST(Egress, WithDenyAsTheDefaultOnlyWhatIsAllowedMayBeReached) {
  const Egress egress = make({.allow_private = true,
                              .allow = {"10.0.0.7", "hooks.example.com"},
                              .deny = {"10.0.0.7/32"},
                              .otherwise = "deny"});
  EXPECT_FALSE(may_connect(egress, "10.0.0.7"));
  EXPECT_FALSE(may_connect(egress, "1.1.1.1"));
  EXPECT_TRUE(may_connect(egress, "1.1.1.1", "hooks.example.com"));
  EXPECT_TRUE(may_connect(egress, "192.168.0.1", "hooks.example.com"));
  EXPECT_FALSE(may_connect(egress, "1.1.1.1", "sub.hooks.example.com"));
  // Its addresses may be allowed: that is judged when it has been looked up.
  EXPECT_TRUE(egress.check_host("other.example"));

  const Egress names =
      make({.allow_private = true, .allow = {".example.com"}, .deny = {}, .otherwise = "deny"});
  EXPECT_TRUE(names.check_host("example.com"));
  EXPECT_TRUE(names.check_host("a.b.example.com"));
  EXPECT_FALSE(names.check_host("badexample.com"));
  EXPECT_FALSE(names.check_host("example.com.evil.net"));
}

TEST(Egress, AnEntryOpensWhatItMeansAndNotWhatLiesInsideIt) {
  const Egress egress = make({.allow_private = false, .allow = {"2000::/3"}, .deny = {}});
  EXPECT_FALSE(may_connect(egress, "2002:0a00:0001::1"));
  EXPECT_FALSE(may_connect(egress, "2001:0:1234:5678:0:0:f5ff:fffe"));
  const Egress six_to_four =
      make({.allow_private = false, .allow = {"2002:a00::/24", "1.1.1.1"}, .deny = {}});
  EXPECT_TRUE(may_connect(six_to_four, "2002:0a00:0001::1"));
  // Only a tunnel would carry it to 1.1.1.1; without one it stays in the private network.
  EXPECT_FALSE(may_connect(six_to_four, "fd12::5efe:101:101"));
}

TEST(Egress, BehindAProxyNamesAndLiteralAddressesAreJudged) {
  Egress egress = make({.allow_private = false,
                        .allow = {"10.0.0.7", "good.example"},
                        .deny = {"bad.example"},
                        .otherwise = "deny"});
  EXPECT_TRUE(egress.check_proxied("good.example", 80));
  EXPECT_TRUE(egress.check_proxied("10.0.0.7", 80));
  EXPECT_FALSE(egress.check_proxied("10.0.0.8", 80));
  EXPECT_FALSE(egress.check_proxied("bad.example", 80));
  // Its addresses are the proxy's to know, so an address in allow cannot open it.
  EXPECT_FALSE(egress.check_proxied("other.example", 80));
  EXPECT_TRUE(Egress().check_proxied("other.example", 80));
  EXPECT_FALSE(Egress().check_proxied("metadata.google.internal", 80));
  EXPECT_FALSE(Egress().check_proxied("169.254.169.254", 80));
  egress.refuse_endpoint(tcp::endpoint(make_address("10.0.0.7"), 8080));
  EXPECT_FALSE(egress.check_proxied("10.0.0.7", 8080));
}

TEST(Egress, RefusesOurOwnEndpoints) {
  Egress egress;
  egress.refuse_endpoint(tcp::endpoint(make_address("127.0.0.1"), 8080));
  EXPECT_FALSE(may_connect(egress, "127.0.0.1", "x", 8080));
  EXPECT_FALSE(may_connect(egress, "::ffff:127.0.0.1", "x", 8080));
  EXPECT_TRUE(may_connect(egress, "127.0.0.1", "x", 8081));
  EXPECT_TRUE(may_connect(egress, "127.0.0.2", "x", 8080));
  EXPECT_FALSE(egress.check_unresolved("127.0.0.1", 8080)) << "before anything is sent there";
  EXPECT_TRUE(egress.check_unresolved("127.0.0.1", 8081));
  EXPECT_TRUE(egress.check_unresolved("x", 8080));
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
  EXPECT_EQ(refused.error().detail,
            "Pushes to db.internal (10.0.0.1) are denied: egress.private is false, and the address "
            "is private");
  const Egress denying = make({.allow = {}, .deny = {"10.0.0.0/8", "192.0.2.7", ".evil.example"}});
  EXPECT_EQ(denying.check_host("10.1.2.3").error().detail,
            "Pushes to 10.1.2.3 are denied: egress.deny has 10.0.0.0/8");
  EXPECT_EQ(denying.check_host("::ffff:192.0.2.7").error().detail,
            "Pushes to ::ffff:192.0.2.7 are denied: egress.deny has 192.0.2.7");
  EXPECT_EQ(denying.check_host("a.evil.example").error().detail,
            "Pushes to a.evil.example are denied: egress.deny has .evil.example");

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
