#include "delivery/target.h"

#include <gtest/gtest.h>

#include "delivery/push_header.h"
#include "tests/delivery/http_target.h"

namespace carillon {
namespace {

constexpr std::string_view kFull = R"({
  "kind": "http", "url": "https://example.com/in", "method": "PUT",
  "headers": {"X-One": "1", "x-two": "\u00e9"}, "timeout": "2s", "connection_max_age": "5s", "concurrency": 10000,
  "rate": {"limit": 500, "per": "100ms", "burst": 7},
  "retry": {"max_attempts": 3, "backoff_min": "250ms", "backoff_max": 60000, "max_age": "2d"},
  "breaker": {"failures": 3, "open_for": "1s", "open_max": "2s"}, "hold_max": "30s",
  "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
  "tls": {"verify": false, "ca_file": "/ca", "certificate_file": "/c", "private_key_file": "/k"},
  "paused": true})";

TEST(Target, ReadsEveryField) {
  const Result<TargetSettings> target = parse_target(kFull);
  ASSERT_TRUE(target) << target.error().detail;
  EXPECT_EQ(http_settings(*target).url, "https://example.com/in");
  EXPECT_EQ(http_settings(*target).method, "PUT");
  EXPECT_EQ(http_settings(*target).headers, (std::vector<std::pair<std::string, std::string>>{
                                                {"X-One", "1"}, {"x-two", "\xc3\xa9"}}));
  EXPECT_EQ(target->timeout, Millis(2000));
  EXPECT_EQ(http_settings(*target).connection_max_age, Millis(5000));
  EXPECT_EQ(target->concurrency, 10'000U);
  EXPECT_EQ(target->rate, (RateLimit{500, Millis(100), 7}));
  EXPECT_EQ(target->retry, (RetryPolicy{3, Millis(250), Millis(60'000), std::chrono::days(2)}));
  EXPECT_EQ(target->breaker, (Breaker{3, Millis(1000), Millis(2000)}));
  EXPECT_EQ(target->hold_max, Millis(30'000));
  EXPECT_EQ(http_settings(*target).secrets.size(), 1U);
  EXPECT_EQ(http_settings(*target).tls, (ClientTls{false, "/ca", "/c", "/k"}));
  EXPECT_TRUE(target->paused);
}

TEST(Target, WhatIsLeftOutHasItsDefault) {
  const Result<TargetSettings> target = parse_target(R"({"url":"http://a/"})");
  ASSERT_TRUE(target);
  TargetSettings expected;
  http_of(expected).url = "http://a/";
  EXPECT_EQ(*target, expected);
  EXPECT_EQ(target->timeout, Millis(15'000));
  EXPECT_EQ(http_settings(*target).connection_max_age, Millis(60'000));
  EXPECT_EQ(target->retry,
            (RetryPolicy{20, Millis(1000), Millis(3'600'000), std::chrono::days(3)}));
  EXPECT_EQ(target->hold_max, Millis(300'000));
  EXPECT_EQ(target->rate.limit, 0U) << "no rate";
  EXPECT_EQ(target->breaker, (Breaker{20, Millis(5000), Millis(300'000)}));
}

TEST(Target, ABurstThatIsLeftOutFollowsTheLimit) {
  const Result<TargetSettings> target = parse_target(R"({"url":"http://a/","rate":{"limit":500}})");
  ASSERT_TRUE(target) << target.error().detail;
  EXPECT_EQ(target->rate.per, Millis(1000));
  EXPECT_EQ(target->rate.burst_in_effect(), 25U);
  EXPECT_NE(format_target(*target, Secrets::shown).find(R"("rate":{"limit":500,"per":"1s"})"),
            std::string::npos);
  const auto raised = edit_target("a", R"({"rate":{"limit":5000}})", TargetEdit::merge, &*target);
  ASSERT_TRUE(raised) << raised.error().detail;
  EXPECT_EQ(raised->rate.burst_in_effect(), 250U);
  const auto removed = edit_target("a", R"({"rate":null})", TargetEdit::merge, &*target);
  ASSERT_TRUE(removed) << removed.error().detail;
  EXPECT_EQ(removed->rate, RateLimit());
  EXPECT_EQ(RateLimit{.limit = 3}.burst_in_effect(), 1U);
}

TEST(Target, WhatIsWrittenIsReadBack) {
  for (const std::string_view json : {kFull, std::string_view(R"({"url":"http://a/"})")}) {
    const TargetSettings target = *parse_target(json);
    const Result<TargetSettings> again = parse_target(format_target(target, Secrets::stored));
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_EQ(*again, target);
  }
}

TEST(Target, SecretsAreHiddenUnlessAskedFor) {
  const std::string json = format_target(*parse_target(kFull), Secrets::shown);
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
      {R"({"url":"http://a/","kind":"sqs"})", "bad_value", "kind"},
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
      {R"({"url":"http://a/","rate":{}})", "bad_value", "rate.limit"},
      {R"({"url":"http://a/","rate":{"limit":0}})", "bad_value", "rate.limit"},
      {R"({"url":"http://a/","rate":{"limit":1000001}})", "bad_value", "rate.limit"},
      {R"({"url":"http://a/","rate":{"limit":1,"per":0}})", "bad_value", "rate.per"},
      {R"({"url":"http://a/","rate":{"limit":1,"per":"25h"}})", "bad_value", "rate.per"},
      {R"({"url":"http://a/","rate":{"limit":1,"burst":0}})", "bad_value", "rate.burst"},
      {R"({"url":"http://a/","rate":{"limit":1,"burst":-1}})", "bad_value", "rate.burst"},
      {R"({"url":"http://a/","rate":{"limits":1}})", "unknown_field", "rate.limits"},
      {R"({"url":"http://a/","rate":500})", "bad_type", "rate"},
      {R"({"url":"http://a/","retry":{"max_attempts":0}})", "bad_value", "retry.max_attempts"},
      {R"({"url":"http://a/","retry":{"max_attempts":1001}})", "bad_value", "retry.max_attempts"},
      {R"({"url":"http://a/","retry":{"backoff_min":"2h"}})", "bad_value", "retry.backoff_min"},
      {R"({"url":"http://a/","retry":{"backoff_min":0}})", "bad_value", "retry.backoff_min"},
      {R"({"url":"http://a/","retry":{"backoff_max":"31d"}})", "bad_value", "retry.backoff_max"},
      {R"({"url":"http://a/","retry":{"max_age":"31d"}})", "bad_value", "retry.max_age"},
      {R"({"url":"http://a/","breaker":{"failures":1001}})", "bad_value", "breaker.failures"},
      {R"({"url":"http://a/","breaker":{"failures":-1}})", "bad_value", "breaker.failures"},
      {R"({"url":"http://a/","breaker":{"open_for":0}})", "bad_value", "breaker.open_for"},
      {R"({"url":"http://a/","breaker":{"open_for":"6m"}})", "bad_value", "breaker.open_max"},
      {R"({"url":"http://a/","breaker":{"open_max":"2d"}})", "bad_value", "breaker.open_max"},
      {R"({"url":"http://a/","breaker":{"open":1}})", "unknown_field", "breaker.open"},
      {R"({"url":"http://a/","hold_max":0})", "bad_value", "hold_max"},
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

constexpr std::string_view kSecretA = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr std::string_view kSecretB = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// A target with all that can be hidden.
TargetSettings stored() {
  TargetSettings target = *parse_target(kFull);
  target.name = "shop";
  http_of(target).url = "https://example.com/in?key=1";
  http_of(target).secrets = {std::string(kSecretA), std::string(kSecretB)};
  return target;
}

TEST(TargetEdit, WhatGetGivesPutTakesAndNothingChanges) {
  const TargetSettings before = stored();
  std::string shown = format_target(before, Secrets::shown);
  shown.pop_back();
  shown += R"(,"name":"shop","waiting":3,"backlog":2,"in_flight":1,"held":null})";
  for (const TargetEdit edit : {TargetEdit::replace, TargetEdit::merge}) {
    const auto after = edit_target("shop", shown, edit, &before);
    ASSERT_TRUE(after) << after.error().detail;
    EXPECT_EQ(*after, before);
  }
  EXPECT_EQ(edit_target("other", shown, TargetEdit::replace, &before).error().field, "name");
}

TEST(TargetEdit, PutKeepsSecretsAndPauseThatItDoesNotNameAndNothingElse) {
  const TargetSettings before = stored();
  for (const char* json :
       {R"({"url":"https://example.com/"})", R"({"url":"https://example.com/","secrets":null})"}) {
    const auto after = edit_target("shop", json, TargetEdit::replace, &before);
    ASSERT_TRUE(after) << after.error().detail;
    TargetSettings expected;
    expected.name = "shop";
    http_of(expected).url = "https://example.com/";
    http_of(expected).secrets = http_settings(before).secrets;
    expected.paused = true;
    EXPECT_EQ(*after, expected);
  }
  const auto after = edit_target("shop", R"({"url":"https://other/","secrets":[],"paused":false})",
                                 TargetEdit::replace, &before);
  ASSERT_TRUE(after) << after.error().detail;
  EXPECT_TRUE(http_settings(*after).secrets.empty());
  EXPECT_FALSE(after->paused);
}

TEST(TargetEdit, PatchChangesWhatItNames) {
  const TargetSettings before = stored();
  const auto patched = [&](std::string_view json) {
    const auto after = edit_target("shop", json, TargetEdit::merge, &before);
    EXPECT_TRUE(after) << json << ": " << after.error().detail;
    return after ? *after : TargetSettings();
  };
  EXPECT_EQ(patched("{}"), before);
  TargetSettings expected = before;
  expected.concurrency = 5;
  EXPECT_EQ(patched(R"({"concurrency":5})"), expected);
  expected = before;
  http_of(expected).headers = {{"X-One", "2"}, {"new", "3"}};
  EXPECT_EQ(patched(R"({"headers":{"x-one":"2","X-TWO":null,"new":"3"}})"), expected);
  expected = before;
  expected.retry.max_attempts = 9;
  EXPECT_EQ(patched(R"({"retry":{"max_attempts":9}})"), expected);
  expected.retry.max_attempts = TargetSettings().retry.max_attempts;
  EXPECT_EQ(patched(R"({"retry":{"max_attempts":null}})"), expected);
  expected = before;
  http_of(expected).tls.ca_file = "/other";
  EXPECT_EQ(patched(R"({"tls":{"ca_file":"/other"}})"), expected);
  expected = before;
  expected.timeout = TargetSettings().timeout;
  http_of(expected).headers.clear();
  http_of(expected).secrets.clear();
  EXPECT_EQ(patched(R"({"timeout":null,"headers":null,"secrets":null})"), expected);
  EXPECT_EQ(edit_target("shop", R"({"url":null})", TargetEdit::merge, &before).error().slug,
            "missing_field");
}

TEST(TargetEdit, AHiddenValueKeepsWhatIsStored) {
  const TargetSettings before = stored();
  const auto after = edit_target("shop",
                                 R"({"url":"https://example.com/new?***",
        "secrets":["whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=","whsec_***"],
        "headers":{"X-ONE":"***","c":"d"}})",
                                 TargetEdit::replace, &before);
  ASSERT_TRUE(after) << after.error().detail;
  EXPECT_EQ(http_settings(*after).url, "https://example.com/new?key=1");
  ASSERT_EQ(http_settings(*after).secrets.size(), 2U);
  EXPECT_EQ(http_settings(*after).secrets[1], kSecretA);
  EXPECT_EQ(http_settings(*after).headers.at(0).second, "1");
}

TEST(TargetEdit, AHiddenValueGoesToNoOtherHostOrPortAndNeedsOneStored) {
  const TargetSettings before = stored();
  const struct {
    TargetEdit edit;
    const TargetSettings* before;
    std::string_view json, field;
  } table[] = {
      {TargetEdit::replace, &before, R"({"url":"https://evil.example/"})", "secrets"},
      {TargetEdit::replace, &before, R"({"url":"https://example.com:444/"})", "secrets"},
      {TargetEdit::merge, &before, R"({"url":"https://evil.example/"})", "secrets"},
      {TargetEdit::merge, &before, R"({"url":"https://evil.example/","secrets":["whsec_***"]})",
       "secrets"},
      {TargetEdit::replace, &before,
       R"({"url":"https://evil.example/","secrets":[],"headers":{"x-one":"***"}})", "headers"},
      {TargetEdit::replace, &before, R"({"url":"https://evil.example/?***","secrets":[]})", "url"},
      {TargetEdit::replace, &before,
       R"({"url":"https://example.com/","secrets":["whsec_***","whsec_***","whsec_***"]})",
       "secrets"},
      {TargetEdit::replace, &before, R"({"url":"https://example.com/","headers":{"new":"***"}})",
       "headers"},
      {TargetEdit::replace, nullptr, R"({"url":"https://a/","secrets":["whsec_***"]})", "secrets"},
      {TargetEdit::replace, nullptr, R"({"url":"https://a/","headers":{"a":"***"}})", "headers"},
      {TargetEdit::replace, nullptr, R"({"url":"https://a/?***"})", "url"},
  };
  for (const auto& row : table) {
    const auto after = edit_target("shop", row.json, row.edit, row.before);
    ASSERT_FALSE(after) << row.json;
    EXPECT_EQ(after.error().slug, "secret_needed") << row.json;
    EXPECT_EQ(after.error().field, row.field) << row.json;
  }
  EXPECT_TRUE(edit_target("shop", R"({"url":"https://evil.example/","secrets":[]})",
                          TargetEdit::merge, &before));
}

TEST(TargetEdit, IsAsStrictAsWhatIsSetAtFirst) {
  const TargetSettings before = stored();
  for (const TargetEdit edit : {TargetEdit::replace, TargetEdit::merge}) {
    const auto slug = [&](std::string_view json) {
      const auto after = edit_target("shop", json, edit, &before);
      return after ? std::string() : after.error().slug;
    };
    EXPECT_EQ(slug(R"({"url":"https://example.com/","urll":1})"), "unknown_field");
    EXPECT_EQ(slug(R"({"url":"https://example.com/","method":"PUT","method":"POST"})"),
              "duplicate_field");
    EXPECT_EQ(slug(R"({"url":"https://example.com/","headers":{"a":"1","A":"2"}})"),
              "duplicate_field");
    EXPECT_EQ(slug(R"({"url":"https://example.com/","headers":[]})"), "bad_type");
    EXPECT_EQ(slug(R"({"url":"https://example.com/","kind":"sqs"})"), "bad_value");
    EXPECT_EQ(slug("[]"), "bad_type");
    EXPECT_EQ(slug("{"), "bad_json");
    EXPECT_EQ(slug(R"({"url":"https://example.com/",})"), "bad_json");
  }
}

TEST(TargetFiles, AreReadAndTheErrorNamesTheField) {
  TargetSettings target = http_target("shop", "https://a/");
  EXPECT_TRUE(target.own->check_files());
  http_of(target).tls.ca_file = "/nonexistent/ca.pem";
  const Result<> missing = target.own->check_files();
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().slug, "unusable_file");
  EXPECT_EQ(missing.error().field, "tls.ca_file");
  EXPECT_EQ(missing.error().detail,
            "ca_file /nonexistent/ca.pem cannot be used: No such file or directory");
}

TEST(Target, IsWrittenInThreeDegreesOfOpenness) {
  TargetSettings target = *parse_target(kFull);
  http_of(target).url += "?key=1";
  const auto written = [](std::string_view query, std::string_view one, std::string_view two,
                          std::string_view secret) {
    std::string json = R"({"kind":"http","url":"https://example.com/in?)";
    json.append(query).append(R"(","method":"PUT","headers":{"X-One":")").append(one);
    json.append(R"(","x-two":")").append(two);
    json.append(R"("},"timeout":"2s","connection_max_age":"5s","concurrency":10000,)");
    json.append(R"("rate":{"limit":500,"per":"100ms","burst":7},)");
    json.append(R"("retry":{"max_attempts":3,"backoff_min":"250ms","backoff_max":"1m",)");
    json.append(R"("max_age":"2d"},"breaker":{"failures":3,"open_for":"1s","open_max":"2s"},)");
    json.append(R"("hold_max":"30s","secrets":[")").append(secret);
    json.append(R"("],"tls":{"verify":false,"ca_file":"/ca","certificate_file":"/c",)");
    json.append(R"("private_key_file":"/k"},"paused":true})");
    return json;
  };
  const std::string_view secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  EXPECT_EQ(format_target(target, Secrets::stored), written("key=1", "1", "\xc3\xa9", secret));
  EXPECT_EQ(format_target(target, Secrets::shown), written("key=1", "1", "\xc3\xa9", "whsec_***"));
  EXPECT_EQ(format_target(target, Secrets::hidden), written("***", "***", "***", "whsec_***"));
}

TEST(Target, OfUrlDefaultsHasNoUrlOfItsOwn) {
  const Result<TargetSettings> target = parse_url_defaults(R"({"timeout":"2s"})");
  ASSERT_TRUE(target) << target.error().detail;
  EXPECT_EQ(target->timeout, Millis(2000));
  EXPECT_EQ(http_settings(*target).url, "");
  EXPECT_EQ(parse_url_defaults(R"({"url":"http://a/"})").error().field, "url");
  EXPECT_EQ(parse_url_defaults(R"({"timeout":0})").error().field, "timeout");
  EXPECT_EQ(parse_url_defaults(R"({"rate":{"limit":1}})").error().field, "rate");
  EXPECT_EQ(parse_url_defaults(R"({"breaker":{"failures":1}})").error().field, "breaker");
}

TEST(Target, WithAnEscapedNameOfItsKindIsHeldToIt) {
  EXPECT_TRUE(parse_target(R"({"url":"http://a/","k\u0069nd":"http"})"));
  EXPECT_EQ(parse_target(R"({"url":"http://a/","k\u0069nd":"sqs"})").error().field, "kind");
}

TEST(Target, TooManyOrTooLongIsRefused) {
  TargetSettings target = *parse_target(R"({"url":"http://a/"})");
  for (int i = 0; i < 65; ++i) http_of(target).headers.emplace_back(std::to_string(i), "");
  EXPECT_EQ(check_target(target).error().field, "headers");
  http_of(target).headers = {
      {"a", std::string(8000, 'x')}, {"b", std::string(8000, 'x')}, {"c", std::string(8000, 'x')}};
  EXPECT_EQ(check_target(target).error().field, "headers");
  http_of(target).headers.clear();
  http_of(target).secrets.assign(5, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  EXPECT_EQ(check_target(target).error().field, "secrets");
}

TEST(PushHeader, TakesTokensAndPlainValues) {
  for (const char* name :
       {"X-A", "authorization", "Content-Type", "a!#$%&'*+-.^_`|~1", "Tea", "x_a"}) {
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
                           "webhook_id",
                           "Webhook_Signature",
                           "carillon_task_id",
                           "content_length",
                           "Transfer_Encoding",
                           "proxy_authorization",
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
