#include "net/proxy.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

using Progress = TunnelAnswer::Progress;

TEST(Proxy, IsReadFromAUrlAndCredentials) {
  const auto proxy = make_proxy("http://Proxy.example:3128", "ann:secret");
  ASSERT_TRUE(proxy && *proxy);
  EXPECT_EQ((*proxy)->host, "proxy.example");
  EXPECT_EQ((*proxy)->port, 3128);
  EXPECT_EQ((*proxy)->authorization, "Basic YW5uOnNlY3JldA==");
  EXPECT_EQ(make_proxy("http://[::1]", "")->value().port, 80);
  EXPECT_FALSE(make_proxy("", "")->has_value());
}

TEST(Proxy, WhatIsNoneIsRefusedAndCredentialsAreNotShown) {
  for (const char* url : {"proxy:3128", "https://proxy/", "http://ann:secret@proxy/",
                          "http://proxy/path", "socks5://proxy/"}) {
    const auto proxy = make_proxy(url, "");
    ASSERT_FALSE(proxy) << url;
    EXPECT_EQ(proxy.error().slug, "config");
    EXPECT_EQ(proxy.error().field, "egress.proxy");
    EXPECT_EQ(proxy.error().detail.find("secret"), std::string::npos);
  }
  for (const char* credentials : {"ann", "ann:a\r\nX: y"}) {
    EXPECT_FALSE(make_proxy("http://proxy/", credentials)) << credentials;
  }
}

TEST(Proxy, ThisMachineIsNeverReachedByIt) {
  for (const char* host :
       {"localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(is_this_machine(host)) << host;
  }
  for (const char* host : {"example.com", "10.0.0.1", "notlocalhost", "2001:db8::1"}) {
    EXPECT_FALSE(is_this_machine(host)) << host;
  }
}

TEST(Proxy, ATunnelIsOpenAfterAny2xxAndNothingBehindIt) {
  EXPECT_EQ(connect_request({"p", "p", 1, "Basic eA=="}, "a:443"),
            "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nProxy-Authorization: Basic eA==\r\n\r\n");
  EXPECT_EQ(connect_request({"p", "p", 1, ""}, "[::1]:443"),
            "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n");
  EXPECT_EQ(read_tunnel_answer("HTTP/1.1 200 Connection est").progress, Progress::need_more);
  EXPECT_EQ(read_tunnel_answer("HTTP/1.1 200 OK\r\nVia: x\r\n\r\n").progress, Progress::open);
  EXPECT_EQ(read_tunnel_answer("HTTP/1.0 204\r\n\r\n").progress, Progress::open);
  const TunnelAnswer refused = read_tunnel_answer("HTTP/1.1 407 Who are you\r\n\r\n");
  EXPECT_EQ(refused.progress, Progress::refused);
  EXPECT_EQ(refused.why, "it answered 407");
  for (const std::string& answer :
       {std::string("SSH-2.0\r\n\r\n"), std::string("HTTP/1.1 20 OK\r\n\r\n"),
        std::string("HTTP/1.1 2000\r\n\r\n"), std::string("HTTP/1.1\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\n\r\nx"), std::string(16 * 1024, 'x')}) {
    EXPECT_EQ(read_tunnel_answer(answer).progress, Progress::refused) << answer.substr(0, 40);
  }
}

}  // namespace
}  // namespace carillon
