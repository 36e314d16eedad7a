#include "net/url.h"

#include <random>

#include <gtest/gtest.h>

namespace carillon {
namespace {

struct Good {
  std::string_view text, origin, host, path;
};

TEST(Url, TakesApartWhatIsWellFormed) {
  const std::string long_path = "http://a/" + std::string(2039, 'p');
  const Good table[] = {
      {"http://example.com", "http://example.com:80", "example.com", "/"},
      {"HTTPS://Example.COM/Path", "https://example.com:443", "example.com", "/Path"},
      {"https://example.com:443/", "https://example.com:443", "example.com", "/"},
      {"https://example.com:80/", "https://example.com:80", "example.com:80", "/"},
      {"http://example.com?a=b", "http://example.com:80", "example.com", "/?a=b"},
      {"http://a.b/x%20y?q=%C3%A9&r=/", "http://a.b:80", "a.b", "/x%20y?q=%C3%A9&r=/"},
      {"http://127.0.0.1:8080/in", "http://127.0.0.1:8080", "127.0.0.1:8080", "/in"},
      {"http://[::1]:8080/in", "http://[::1]:8080", "[::1]:8080", "/in"},
      {"http://[2001:DB8:0::1]/", "http://[2001:db8::1]:80", "[2001:db8::1]", "/"},
      {"http://[::ffff:127.0.0.1]/", "http://[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]", "/"},
      {"http://my_service:0080/", "http://my_service:80", "my_service", "/"},
      {"http://xn--bcher-kva.example/", "http://xn--bcher-kva.example:80", "xn--bcher-kva.example",
       "/"},
      {"http://127.0.0.1.nip.io:81/x", "http://127.0.0.1.nip.io:81", "127.0.0.1.nip.io:81", "/x"},
      {"http://127.0.0.1evil.com", "http://127.0.0.1evil.com:80", "127.0.0.1evil.com", "/"},
      {"http://1.2.3.4.a.?q", "http://1.2.3.4.a.:80", "1.2.3.4.a", "/?q"},
      {"http://01.org/", "http://01.org:80", "01.org", "/"},
      // As JavaScript's URL leaves them.
      {"http://a/p|q?ids[]=1&f={x}&g=a^b`c\\d", "http://a:80", "a",
       "/p%7Cq?ids%5B%5D=1&f=%7Bx%7D&g=a%5Eb%60c%5Cd"},
      {"http://a?[", "http://a:80", "a", "/?%5B"},
      {"http://a/[]{}", "http://a:80", "a", "/%5B%5D%7B%7D"},
      {"http://[::1]/?[", "http://[::1]:80", "[::1]", "/?%5B"},
      {"https://Example.com./x", "https://example.com.:443", "example.com", "/x"},
      {"http://localhost.:8080/", "http://localhost.:8080", "localhost:8080", "/"},
      {long_path, "http://a:80", "a", std::string_view(long_path).substr(8)},
  };
  for (const Good& row : table) {
    const Result<Url> url = parse_url(row.text);
    ASSERT_TRUE(url) << row.text << ": " << url.error().detail;
    EXPECT_EQ(url->origin(), row.origin) << row.text;
    EXPECT_EQ(url->host_header(), row.host) << row.text;
    EXPECT_EQ(url->path, row.path) << row.text;
    EXPECT_EQ(url->tls, row.origin.starts_with("https")) << row.text;
  }
}

TEST(Url, RefusesWhatIsNot) {
  const std::string label_of_64 = "http://" + std::string(64, 'a') + "/";
  std::string long_name = "http://";
  for (int i = 0; i < 64; ++i) long_name += "abc.";
  const std::string too_long = "http://a/" + std::string(2040, 'p');
  const std::string_view table[] = {
      "", "/", "example.com", "//example.com/", "http:", "http:?", "http:/a", "http://",
      "http:///path", "ftp://example.com/", "unix:/run/x", "javascript:alert(1)",
      "http://user@example.com/", "http://user:pass@example.com/", "http://@example.com/",
      "http://example.com/#part", "http://example.com/a b", "http://example.com/\r\nHost: x",
      "http://example.com/\xC3\xA9", "http://b\xC3\xBC.example/", "http://exa%6Dple.com/",
      "http://a..b/", "http://.a/", "http://example.com../", "http://./", "http://127.0.0.1./",
      "http://-a.com/", "http://a-.com/", "http://a!b/", "http://*/",
      // Numbers that some resolvers take for addresses.
      "http://0177.0.0.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/",
      "http://127.1/", "http://127.0.0.1.1/", "http://[::1]evil.com/", "http://[::1].1/",
      "http://a:80b/", "http://a:80.b", "http://1.2.3.256/", "http://01.2.3.4/", "http://a.0x7f/",
      "http://a.1/", "http://[::1/", "http://::1/", "http://[::1%25eth0]/",
      "http://[fe80::1%eth0]/", "http://[v1.fe]/", "http://[1.2.3.4]/", "http://a:/", "http://a:0/",
      "http://a:65536/", "http://a:-1/", "http://a:8o/", "http://a\\b/", "http://a/%zz",
      "http://a{b}/", "http://a|b/", "http://{a}@b/", "http://a:[80]/", "http://a/#[", label_of_64,
      long_name, too_long};
  for (const std::string_view text : table) {
    const Result<Url> url = parse_url(text);
    ASSERT_FALSE(url) << text << " -> " << url->origin() << url->path;
    EXPECT_EQ(url.error().slug, "bad_url");
    EXPECT_FALSE(url.error().detail.empty());
  }
}

TEST(Url, AnAbsoluteNameIsLookedUpWithItsDotAndShownWithoutIt) {
  const Result<Url> url = parse_url("https://example.com./");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "example.com");
  EXPECT_EQ(url->lookup_name(), "example.com.");
  EXPECT_EQ(parse_url("https://example.com/")->lookup_name(), "example.com");
}

TEST(Url, TheBoundIsOfThePercentEncodedForm) {
  EXPECT_TRUE(parse_url("http://a/?" + std::string(679, '|')));
  EXPECT_FALSE(parse_url("http://a/?" + std::string(680, '|')));
}

TEST(Url, WhateverIsTakenReadsBackTheSame) {
  const std::string_view seeds[] = {"http://example.com:8080/a/b?c=d", "https://[2001:db8::1]/",
                                    "http://127.0.0.1:80/x", "https://a-b.c_d.example/%20?"};
  constexpr std::string_view kBytes = ":/?#[]{}|^@%.-_0xaA1 \\\r\n\t\x7f\xff";
  std::mt19937 random(20261121);
  const auto pick = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
  };
  int taken = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string text(seeds[pick(std::size(seeds))]);
    for (std::size_t changes = 1 + pick(3); changes > 0; --changes) {
      const std::size_t at = pick(text.size());
      if (pick(2) == 0) {
        text.insert(at, 1, kBytes[pick(kBytes.size())]);
      } else {
        text.erase(at, 1);
      }
    }
    const Result<Url> url = parse_url(text);
    if (!url) continue;
    ++taken;
    EXPECT_EQ(url->path.find_first_of(" \r\n\t#\\"), std::string::npos) << text;
    const Result<Url> again = parse_url(url->origin() + url->path);
    ASSERT_TRUE(again) << text << ": " << again.error().detail;
    EXPECT_EQ(again->origin(), url->origin()) << text;
    EXPECT_EQ(again->path, url->path) << text;
  }
  EXPECT_GT(taken, 5'000);
}

TEST(Url, EachKindOfReceiverHasItsSchemesAndPorts) {
  constexpr UrlSchemes kQueue{"queue", "queues", "1000", "2000"};
  const Result<Url> plain = parse_url("queue://a.example/x", kQueue);
  ASSERT_TRUE(plain) << plain.error().detail;
  EXPECT_FALSE(plain->tls);
  EXPECT_EQ(plain->port, "1000");
  const Result<Url> secure = parse_url("QueueS://a.example", kQueue);
  ASSERT_TRUE(secure) << secure.error().detail;
  EXPECT_TRUE(secure->tls);
  EXPECT_EQ(secure->port, "2000");
  EXPECT_EQ(secure->path, "/");
  EXPECT_EQ(parse_url("queue://a:80/", kQueue)->port, "80");
  for (const char* text : {"http://a/", "queue://user@a/", "queue:///x", "queue://1.2.3/"}) {
    EXPECT_FALSE(parse_url(text, kQueue)) << text;
  }
  EXPECT_FALSE(parse_url("queue://a/"));
}

TEST(Url, RefusesABareNul) {
  EXPECT_FALSE(parse_url(std::string_view("http://a/\0", 10)));
  EXPECT_FALSE(parse_url(std::string_view("http://a\0b/", 11)));
}

}  // namespace
}  // namespace carillon
