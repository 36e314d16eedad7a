#include "delivery/target.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

constexpr std::string_view kFull = R"({
  "kind": "http", "url": "https://example.com/in", "method": "PUT",
  "headers": {"X-One": "1", "x-two": "\u00e9"}, "timeout": "2s", "connection_max_age": "5s", "concurrency": 10000,
  "retry": {"max_attempts": 3, "backoff_min": "250ms", "backoff_max": 60000},
  "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
  "tls": {"verify": false, "ca_file": "/ca", "certificate_file": "/c", "private_key_file": "/k"},
  "paused": true})";

TEST(Target, ReadsEveryField) {
  const Result<TargetSettings> target = parse_target(kFull);
  ASSERT_TRUE(target) << target.error().detail;
  EXPECT_EQ(target->url, "https://example.com/in");
  EXPECT_EQ(target->method, "PUT");
  EXPECT_EQ(target->headers, (std::vector<std::pair<std::string, std::string>>{
                                 {"X-One", "1"}, {"x-two", "\xc3\xa9"}}));
  EXPECT_EQ(target->timeout, Millis(2000));
  EXPECT_EQ(target->connection_max_age, Millis(5000));
  EXPECT_EQ(target->concurrency, 10'000U);
  EXPECT_EQ(target->retry, (RetryPolicy{3, Millis(250), Millis(60'000)}));
  EXPECT_EQ(target->secrets.size(), 1U);
  EXPECT_EQ(target->tls, (TargetSettings::Tls{false, "/ca", "/c", "/k"}));
  EXPECT_TRUE(target->paused);
}

TEST(Target, WhatIsLeftOutHasItsDefault) {
  const Result<TargetSettings> target = parse_target(R"({"url":"http://a/"})");
  ASSERT_TRUE(target);
  TargetSettings expected;
  expected.url = "http://a/";
  EXPECT_EQ(*target, expected);
  EXPECT_EQ(target->timeout, Millis(15'000));
  EXPECT_EQ(target->connection_max_age, Millis(60'000));
  EXPECT_EQ(target->retry.max_attempts, 8);
}

TEST(Target, WhatIsWrittenIsReadBack) {
  for (const std::string_view json : {kFull, std::string_view(R"({"url":"http://a/"})")}) {
    const TargetSettings target = *parse_target(json);
    const Result<TargetSettings> again = parse_target(format_target(target, Secrets::shown));
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_EQ(*again, target);
  }
}

TEST(Target, SecretsAreHiddenUnlessAskedFor) {
  const std::string json = format_target(*parse_target(kFull), Secrets::hidden);
  EXPECT_EQ(json.find("MfKQ"), std::string::npos);
  EXPECT_NE(json.find("whsec_***"), std::string::npos);
}

struct Bad {
  std::string_view json, slug, field;
};

TEST(Target, RefusesWhatIsWrongAndNamesTheField) {
  const Bad table[] = {
      {"{}", "missing_field", "url"},
      {"[]", "bad_type", ""},
      {"{\"url\":\"http://a/\"", "bad_json", ""},
      {R"({"url":"http://a/"} x)", "bad_json", ""},
      {R"({"url":"http://a/","urll":1})", "unknown_field", "urll"},
      {R"({"url":"http://a/","name":"x"})", "unknown_field", "name"},
      {R"({"url":"http://a/","url":"http://b/"})", "duplicate_field", "url"},
      {R"({"url":1})", "bad_type", "url"},
      {R"({"url":"ftp://a/"})", "bad_url", "url"},
      {R"({"url":"http://u@a/"})", "bad_url", "url"},
      {R"({"url":"http://a/","kind":"kafka"})", "bad_value", "kind"},
      {R"({"url":"http://a/","method":"CONNECT"})", "bad_value", "method"},
      {R"({"url":"http://a/","method":"post"})", "bad_value", "method"},
      {R"({"url":"http://a/","method":"POST\r\nX: y"})", "bad_value", "method"},
      {R"({"url":"http://a/","timeout":0})", "bad_value", "timeout"},
      {R"({"url":"http://a/","timeout":"11m"})", "bad_value", "timeout"},
      {R"({"url":"http://a/","timeout":"soon"})", "bad_duration", "timeout"},
      {R"({"url":"http://a/","connection_max_age":"25h"})", "bad_value", "connection_max_age"},
      {R"({"url":"http://a/","connection_max_age":-1})", "bad_duration", "connection_max_age"},
      {R"({"url":"http://a/","concurrency":0})", "bad_value", "concurrency"},
      {R"({"url":"http://a/","concurrency":10001})", "bad_value", "concurrency"},
      {R"({"url":"http://a/","concurrency":-1})", "bad_value", "concurrency"},
      {R"({"url":"http://a/","concurrency":"1"})", "bad_type", "concurrency"},
      {R"({"url":"http://a/","retry":{"max_attempts":0}})", "bad_value", "retry"},
      {R"({"url":"http://a/","retry":{"max_attempts":1001}})", "bad_value", "retry"},
      {R"({"url":"http://a/","retry":{"backoff_min":"2h"}})", "bad_value", "retry"},
      {R"({"url":"http://a/","retry":{"backoff_min":0}})", "bad_value", "retry"},
      {R"({"url":"http://a/","retry":{"backoff_max":"31d"}})", "bad_value", "retry"},
      {R"({"url":"http://a/","retry":{"tries":1}})", "unknown_field", "retry.tries"},
      {R"({"url":"http://a/","retry":3})", "bad_type", "retry"},
      {R"({"url":"http://a/","headers":{"Host":"x"}})", "bad_header", "headers"},
      {R"({"url":"http://a/","headers":{"A":1}})", "bad_type", "headers"},
      {R"({"url":"http://a/","headers":[]})", "bad_type", "headers"},
      {R"({"url":"http://a/","headers":{"A":"1","a":"2"}})", "duplicate_field", "headers"},
      {R"({"url":"http://a/","secrets":["x"]})", "bad_secret", "secrets"},
      {R"({"url":"http://a/","secrets":"x"})", "bad_type", "secrets"},
      {R"({"url":"http://a/","tls":{"certificate_file":"/c"}})", "bad_value", "tls"},
      {R"({"url":"http://a/","tls":{"verify":1}})", "bad_type", "tls.verify"},
      {R"({"url":"http://a/","paused":0})", "bad_type", "paused"},
  };
  for (const Bad& row : table) {
    const Result<TargetSettings> target = parse_target(row.json);
    ASSERT_FALSE(target) << row.json;
    EXPECT_EQ(target.error().slug, row.slug) << row.json;
    EXPECT_EQ(target.error().field, row.field) << row.json;
  }
}

TEST(Target, TooManyOrTooLongIsRefused) {
  TargetSettings target = *parse_target(R"({"url":"http://a/"})");
  for (int i = 0; i < 65; ++i) target.headers.emplace_back(std::to_string(i), "");
  EXPECT_EQ(check_target(target).error().field, "headers");
  target.headers = {
      {"a", std::string(8000, 'x')}, {"b", std::string(8000, 'x')}, {"c", std::string(8000, 'x')}};
  EXPECT_EQ(check_target(target).error().field, "headers");
  target.headers.clear();
  target.secrets.assign(5, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  EXPECT_EQ(check_target(target).error().field, "secrets");
}

TEST(PushHeader, TakesTokensAndPlainValues) {
  for (const char* name : {"X-A", "authorization", "Content-Type", "a!#$%&'*+-.^_`|~1", "Tea"}) {
    EXPECT_TRUE(check_push_header(name, "value, with \"all\"; \xc3\xa9 and\ttab")) << name;
  }
  EXPECT_TRUE(check_push_header("a", ""));
}

TEST(PushHeader, RefusesTheReservedAndTheBroken) {
  for (const char* name : {"Host",
                           "HOST",
                           "content-length",
                           "Transfer-Encoding",
                           "connection",
                           "Keep-Alive",
                           "Upgrade",
                           "TE",
                           "Trailer",
                           "Expect",
                           "Proxy-Authorization",
                           "proxy-x",
                           "webhook-id",
                           "Webhook-X",
                           "carillon-task-id",
                           "HTTP2-Settings",
                           "",
                           "a b",
                           "a:",
                           "a\r\nb",
                           "\xc3\xa9",
                           "(a)"}) {
    const Result<> ok = check_push_header(name, "x");
    ASSERT_FALSE(ok) << name;
    EXPECT_EQ(ok.error().slug, "bad_header");
  }
  for (const std::string& value :
       {std::string("a\r\nb: c"), std::string("a\nb"), std::string("a\0b", 3), std::string("\x7f"),
        std::string(" a"), std::string("a\t"), std::string(8193, 'x')}) {
    EXPECT_FALSE(check_push_header("a", value)) << value;
  }
}

}  // namespace
}  // namespace carillon
