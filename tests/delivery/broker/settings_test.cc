// The settings of brokers' targets, by the kind `redis`: what is taken, hidden, kept and refused.

#include "delivery/broker/settings.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery/redis/settings.h"
#include "delivery/target.h"
#include "net/url_policy.h"
#include "tests/support/temp_dir.h"

namespace carillon {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kFull = R"({
  "kind": "redis", "url": "rediss://queue.example.com:7000/3", "stream": "due", "maxlen": 1000, "replicas": 2,
  "username": "carillon", "password": "s3cret", "timeout": "2s",
  "tls": {"ca_file": "/ca", "certificate_file": "/c", "private_key_file": "/k"}})";

TargetSettings stored(std::string_view json = kFull) {
  TargetSettings target = *parse_target(json);
  target.name = "queue";
  return target;
}

Result<TargetSettings> put(std::string_view json, const TargetSettings* before,
                           const std::string& secrets_dir = {}) {
  return edit_target("queue", json, TargetEdit::replace, before, secrets_dir);
}
Result<TargetSettings> patch(std::string_view json, const TargetSettings& before,
                             const std::string& secrets_dir = {}) {
  return edit_target("queue", json, TargetEdit::merge, &before, secrets_dir);
}
std::string slug_of(const Result<TargetSettings>& result) {
  return result ? "none" : result.error().slug + " " + result.error().field;
}

TEST(BrokerSettings, ReadsEveryFieldAndWritesItBack) {
  const TargetSettings target = stored();
  const RedisSettings& redis = redis_settings(target);
  EXPECT_EQ(redis.stream, "due");
  EXPECT_EQ(redis.maxlen, 1000U);
  EXPECT_EQ(redis.replicas, 2U);
  EXPECT_EQ(redis.database(), 3U);
  EXPECT_EQ(redis.username, "carillon");
  EXPECT_EQ(redis.password, "s3cret");
  EXPECT_EQ(redis.tls, (ClientTls{true, "/ca", "/c", "/k"}));
  TargetSettings again = *parse_target(format_target(target, Secrets::stored));
  again.name = target.name;
  EXPECT_EQ(again, target);
}

TEST(BrokerSettings, WhatIsLeftOutHasTheKindsDefaults) {
  const TargetSettings target = stored(R"({"kind":"redis","url":"redis://q","stream":"s"})");
  EXPECT_EQ(target.concurrency, 1000U);
  EXPECT_EQ(redis_settings(target).maxlen, 0U);
  EXPECT_EQ(redis_settings(target).replicas, 0U);
  EXPECT_EQ(redis_settings(target).database(), 0U);
  EXPECT_EQ(redis_settings(target).parsed_url()->port, "6379");
}

TEST(BrokerSettings, APatternAllowsTheKeysThatItFitsAsAWhole) {
  const struct {
    std::string_view patterns, key;
    bool is_allowed;
  } table[] = {
      {R"([])", "a", false},           {R"(["a"])", "a", true},
      {R"(["a"])", "ab", false},       {R"(["a"])", "b", false},
      {R"(["b","a"])", "a", true},     {R"(["*"])", "anything at all", true},
      {R"(["a.*"])", "a.", true},      {R"(["a.*"])", "a.b.c", true},
      {R"(["a.*"])", "a", false},      {R"(["a.*"])", "b.a.c", false},
      {R"(["*.a"])", "b.a.a", true},   {R"(["*.a"])", "b.a.b", false},
      {R"(["a*b*c"])", "aXbYc", true}, {R"(["a*b*c"])", "abbc", true},
      {R"(["a*b*c"])", "acb", false},  {R"(["**a**"])", "a", true},
      {R"(["a*a"])", "a", false},      {R"(["A"])", "a", false},
  };
  for (const auto& [patterns, key, is_allowed] : table) {
    const TargetSettings target = stored(
        R"({"kind":"amqp","url":"amqp://q","exchange":"x","keys":)" + std::string(patterns) + "}");
    const Result<> allowed = target.own->check_key(key);
    EXPECT_EQ(allowed.has_value(), is_allowed) << patterns << key;
    EXPECT_TRUE(allowed || allowed.error().slug == "key_not_allowed");
  }
  const std::string many(200, 'a');
  EXPECT_FALSE(
      stored(R"({"kind":"amqp","url":"amqp://q","exchange":"x","keys":["*a*a*a*a*a*a*a*b"]})")
          .own->check_key(many));
  EXPECT_FALSE(stored().own->check_key("a")) << "Redis has no such thing";
  EXPECT_FALSE(stored(R"({"url":"http://q"})").own->check_key("a"));
}

TEST(BrokerSettings, PatternsOfKeysHaveBounds) {
  std::string many = "\"a\"";
  for (int i = 0; i < 64; ++i) many += ",\"a\"";
  for (const std::string& bad :
       {std::string(R"([""])"), std::string(R"(["a\nb"])"), "[\"" + std::string(256, 'a') + "\"]",
        "[" + many + "]", std::string(R"("a")"), std::string("[7]")}) {
    const std::string refused = slug_of(
        parse_target(R"({"kind":"amqp","url":"amqp://q","exchange":"x","keys":)" + bad + "}"));
    EXPECT_TRUE(refused == "bad_value keys" || refused == "bad_type keys") << refused << bad;
  }
  EXPECT_EQ(slug_of(parse_target(R"({"kind":"redis","url":"redis://q","stream":"s","keys":[]})")),
            "unknown_field keys");
}

TEST(BrokerSettings, RefusesWhatIsWrongAndNamesTheField) {
  const struct {
    std::string_view members, refusal;
  } table[] = {
      {R"("stream":"s")", "missing_field url"},
      {R"("url":"redis://q")", "missing_field stream"},
      {R"("url":"http://q","stream":"s")", "bad_url url"},
      {R"("url":"redis://user:secret@q","stream":"s")", "bad_url url"},
      {R"("url":"redis://:secret@q","stream":"s")", "bad_url url"},
      {R"("url":"redis://q/x","stream":"s")", "bad_url url"},
      {R"("url":"redis://q/0/1","stream":"s")", "bad_url url"},
      {R"("url":"redis://q/65536","stream":"s")", "bad_url url"},
      {R"("url":"redis://q/0?db=1","stream":"s")", "bad_url url"},
      {R"("url":"redis://q","stream":"a\nb")", "bad_value stream"},
      {R"("url":"redis://q","stream":1)", "bad_type stream"},
      {R"("url":"redis://q","stream":"s","maxlen":-1)", "bad_value maxlen"},
      {R"("url":"redis://q","stream":"s","replicas":101)", "bad_value replicas"},
      {R"("url":"redis://q","stream":"s","username":"u")", "bad_value username"},
      {R"("url":"redis://q","stream":"s","password":"a\nb")", "bad_value password"},
      {R"("url":"redis://q","stream":"s","password":"p","password_env":"E")",
       "conflicting_fields password"},
      {R"("url":"redis://q","stream":"s","tls":{"certificate_file":"/c"})", "bad_value tls"},
      {R"("url":"redis://q","stream":"s","method":"POST")", "unknown_field method"},
      {R"("url":"redis://q","stream":"s","secrets":[])", "unknown_field secrets"},
  };
  for (const auto& [members, refusal] : table) {
    const auto target = parse_target("{\"kind\":\"redis\"," + std::string(members) + "}");
    EXPECT_EQ(slug_of(target), refusal) << members;
  }
}

TEST(BrokerSettings, APasswordIsShownToNobody) {
  for (const Secrets show : {Secrets::hidden, Secrets::shown}) {
    const std::string json = format_target(stored(), show);
    EXPECT_THAT(json, Not(HasSubstr("s3cret")));
    EXPECT_THAT(json, HasSubstr(R"("password":"***")"));
  }
}

TEST(BrokerSettings, WhatGetGivesPutTakesAndNothingChanges) {
  const TargetSettings before = stored();
  const std::string shown = format_target(before, Secrets::shown);
  for (const auto& after : {put(shown, &before), patch(shown, before)}) {
    ASSERT_TRUE(after) << after.error().detail;
    EXPECT_EQ(*after, before);
  }
}

TEST(BrokerSettings, APutWithoutPasswordKeepsItAndAnEmptyOneRemovesIt) {
  const TargetSettings before = stored();
  const std::string rest =
      R"({"kind":"redis","url":"rediss://queue.example.com:7000/3","stream":"due")";
  EXPECT_EQ(redis_settings(*put(rest + R"(,"username":"u"})", &before)).password, "s3cret");
  EXPECT_EQ(redis_settings(*put(rest + R"(,"password":""})", &before)).password, "");
  EXPECT_EQ(
      redis_settings(*put(rest + R"(,"password_env":"CARILLON_SECRET_Q"})", &before)).password, "");
}

TEST(BrokerSettings, AKeptPasswordGoesToNoOtherHostOrPortOrKindNorInTheClear) {
  const TargetSettings before = stored();
  for (const char* url : {"rediss://evil.example.com:7000/3", "rediss://queue.example.com:7001/3",
                          "redis://queue.example.com:7000/3"}) {
    EXPECT_EQ(slug_of(patch("{\"url\":\"" + std::string(url) + "\"}", before)),
              "secret_needed password");
  }
  EXPECT_TRUE(patch(R"({"url":"rediss://queue.example.com:7000/4"})", before));
  EXPECT_TRUE(patch(R"({"url":"rediss://evil.example.com/","password":"other"})", before));
  EXPECT_EQ(
      slug_of(put(R"({"kind":"redis","url":"redis://q","stream":"s","password":"***"})", nullptr)),
      "secret_needed password");
}

TEST(BrokerSettings, WhereAPasswordIsKeptABadUrlIsStillSaidToBeOne) {
  const TargetSettings before = stored();
  for (const char* url :
       {"rediss://user:s3cret@queue.example.com:7000/3", "rediss://:p@q", "no url",
        "http://queue.example.com:7000/", "rediss://queue.example.com:7000/3?x=1"}) {
    EXPECT_EQ(slug_of(patch("{\"url\":\"" + std::string(url) + "\"}", before)), "bad_url url")
        << url;
  }
  EXPECT_EQ(slug_of(patch(R"({"url":null})", before)), "missing_field url");
}

TEST(BrokerSettings, ChangingTheKindKeepsNothingOfTheOldOne) {
  TargetSettings http = *parse_target(
      R"({"url":"https://a/","headers":{"x":"1"},"secrets":["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],"paused":true})");
  const std::string_view to_redis = R"({"kind":"redis","url":"redis://a/","stream":"s"})";
  const auto put_over = put(to_redis, &http);
  ASSERT_TRUE(put_over) << put_over.error().detail;
  EXPECT_EQ(put_over->concurrency, 1000U);
  EXPECT_TRUE(put_over->paused);
  const auto patched = patch(to_redis, http);
  ASSERT_TRUE(patched) << patched.error().detail;
  EXPECT_EQ(patched->concurrency, 64U) << "what a PATCH leaves out stays";

  const TargetSettings redis = stored();
  EXPECT_TRUE(put(R"({"url":"https://queue.example.com:7000/"})", &redis));
  EXPECT_TRUE(patch(R"({"kind":null,"url":"https://a/"})", redis));
  EXPECT_EQ(slug_of(patch(R"({"kind":"http"})", redis)), "missing_field url");
  EXPECT_EQ(slug_of(patch(R"({"kind":7})", redis)), "bad_type kind");
  EXPECT_EQ(slug_of(patch(R"({"kind":"sqs"})", redis)), "bad_value kind");
}

class NamedSecrets : public testing::Test {
 protected:
  NamedSecrets() {
    std::filesystem::create_directory(dir / "secrets");
    test::write_file(dir / "secrets/queue", "from a file\n");
    test::write_file(dir / "outside", "not for clients");
    std::filesystem::create_symlink(dir / "outside", dir / "secrets/link");
  }
  [[nodiscard]] static std::string with_file(const std::string& path) {
    return R"({"kind":"redis","url":"redis://q","stream":"s","password_file":")" + path + "\"}";
  }

  test::TempDir dir;
};

TEST_F(NamedSecrets, ClientsNameFilesInTheDirectoryForThemAlone) {
  const std::string secrets = dir / "secrets";
  EXPECT_TRUE(put(with_file(secrets + "/queue"), nullptr, secrets));
  for (const std::string& path :
       {dir / "outside", secrets + "/../outside", secrets + "/link", secrets + "x/queue",
        std::string("queue"), std::string("/etc/passwd")}) {
    EXPECT_EQ(slug_of(put(with_file(path), nullptr, secrets)), "bad_value password_file") << path;
  }
  EXPECT_EQ(slug_of(put(with_file(secrets + "/queue"), nullptr)), "bad_value password_file")
      << "no directory is set";
}

TEST_F(NamedSecrets, ClientsNameVariablesForThemAlone) {
  const std::string rest = R"({"kind":"redis","url":"redis://q","stream":"s","password_env":)";
  EXPECT_TRUE(put(rest + R"("CARILLON_SECRET_QUEUE"})", nullptr));
  EXPECT_EQ(slug_of(put(rest + R"("HOME"})", nullptr)), "bad_value password_env");
}

TEST_F(NamedSecrets, TheConfigFileNamesAnyAndClientsMayLeaveItAsItIs) {
  const TargetSettings before = stored(with_file(dir / "outside"));
  EXPECT_TRUE(patch(R"({"timeout":"1s"})", before));
  EXPECT_TRUE(put(format_target(before, Secrets::shown), &before));
  EXPECT_EQ(slug_of(patch(R"({"url":"redis://evil"})", before)), "bad_value password_file");
}

TEST_F(NamedSecrets, PasswordsAreReadFromTheirFilesAndVariables) {
  const TargetSettings of_file = stored(with_file(dir / "secrets/queue"));
  EXPECT_EQ(*redis_settings(of_file).read_password(), "from a file");
  const TargetSettings missing = stored(with_file(dir / "none"));
  EXPECT_EQ(missing.own->check_files().error().slug, "unusable_file");
  test::write_file(dir / "two", "one\ntwo\n");
  EXPECT_EQ(stored(with_file(dir / "two")).own->check_files().error().field, "password_file");

  ASSERT_EQ(::setenv("CARILLON_SECRET_TEST", "from a variable", 1), 0);
  const TargetSettings of_variable = stored(
      R"({"kind":"redis","url":"redis://q","stream":"s","password_env":"CARILLON_SECRET_TEST"})");
  EXPECT_EQ(*redis_settings(of_variable).read_password(), "from a variable");
  ASSERT_EQ(::unsetenv("CARILLON_SECRET_TEST"), 0);
  EXPECT_EQ(of_variable.own->check_files().error().field, "password_env");
}

TEST(BrokerSettings, TheEgressRulesHoldWhenItIsSet) {
  UrlPolicy urls(*Egress::make({.allow = {}, .deny = {"queue.example.com"}}));
  const Result<> denied = stored().own->check_address(urls);
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().slug, "target_denied");
  EXPECT_EQ(denied.error().field, "url");
}

}  // namespace
}  // namespace carillon
