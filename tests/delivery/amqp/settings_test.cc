// The settings of targets of the kind `amqp`. What those of all brokers do is shown in
// tests/delivery/broker/settings_test.cc.

#include "delivery/amqp/settings.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

TargetSettings stored(std::string_view json) {
  TargetSettings target = *parse_target(json);
  target.name = "queue";
  return target;
}
std::string slug_of(const Result<TargetSettings>& result) {
  return result ? "none" : result.error().slug + " " + result.error().field;
}

TEST(AmqpSettings, ReadsEveryFieldAndWritesItBack) {
  const TargetSettings target = stored(
      R"({"kind":"amqp","url":"amqps://rabbit.example.com:7000/shop","exchange":"due","routing_key":"a.b","keys":["a.*"],
          "persistent":false,"mandatory":false,"username":"carillon","password":"s3cret"})");
  const AmqpSettings& amqp = amqp_settings(target);
  EXPECT_EQ(amqp.exchange, "due");
  EXPECT_EQ(amqp.routing_key, "a.b");
  EXPECT_EQ(amqp.keys, std::vector<std::string>{"a.*"});
  EXPECT_FALSE(amqp.persistent);
  EXPECT_FALSE(amqp.mandatory);
  EXPECT_EQ(amqp.username, "carillon");
  EXPECT_EQ(target.concurrency, 1000U);
  TargetSettings again = *parse_target(format_target(target, Secrets::stored));
  again.name = target.name;
  EXPECT_EQ(again, target);
  EXPECT_EQ(format_target(target, Secrets::shown).find("s3cret"), std::string::npos);
}

TEST(AmqpSettings, WhatIsLeftOutHasTheKindsDefaults) {
  const TargetSettings target = stored(R"({"kind":"amqp","url":"amqp://q","routing_key":"due"})");
  const AmqpSettings& amqp = amqp_settings(target);
  EXPECT_EQ(amqp.exchange, "");
  EXPECT_TRUE(amqp.persistent);
  EXPECT_TRUE(amqp.mandatory);
  EXPECT_EQ(amqp.parsed_url()->port, "5672");
  EXPECT_EQ(amqp_settings(stored(R"({"kind":"amqp","url":"amqps://q","exchange":"x"})"))
                .parsed_url()
                ->port,
            "5671");
}

TEST(AmqpSettings, ThePathNamesTheVirtualHost) {
  for (const auto& [url, vhost] :
       {std::pair("amqp://q", "/"), std::pair("amqp://q/", "/"), std::pair("amqp://q/%2F", "/"),
        std::pair("amqp://q/shop", "shop"), std::pair("amqp://q/a%2fb%20c", "a/b c")}) {
    const auto target =
        parse_target(R"({"kind":"amqp","routing_key":"k","url":")" + std::string(url) + "\"}");
    ASSERT_TRUE(target) << url;
    EXPECT_EQ(amqp_settings(*target).vhost(), vhost);
  }
}

TEST(AmqpSettings, RefusesWhatIsWrongAndNamesTheField) {
  const std::string long_name(256, 'n');
  const struct {
    std::string members, refusal;
  } table[] = {
      {R"("exchange":"x")", "missing_field url"},
      {R"("url":"amqp://q")", "missing_field routing_key"},
      {R"("url":"redis://q","exchange":"x")", "bad_url url"},
      {R"("url":"amqp://u:p@q","exchange":"x")", "bad_url url"},
      {R"("url":"amqp://q/a/b","exchange":"x")", "bad_url url"},
      {R"("url":"amqp://q/a%00","exchange":"x")", "bad_url url"},
      {R"("url":"amqp://q/a?heartbeat=1","exchange":"x")", "bad_url url"},
      {R"("url":"amqp://q","exchange":"a\nb")", "bad_value exchange"},
      {R"("url":"amqp://q","exchange":")" + long_name + "\"", "bad_value exchange"},
      {R"("url":"amqp://q","routing_key":")" + long_name + "\"", "bad_value routing_key"},
      {R"("url":"amqp://q","exchange":"x","mandatory":1)", "bad_type mandatory"},
      {R"("url":"amqp://q","exchange":"x","password":"p")", "bad_value username"},
      {R"("url":"amqp://q","exchange":"x","username":"u")", "bad_value username"},
      {R"("url":"amqp://q","exchange":"x","stream":"s")", "unknown_field stream"},
  };
  for (const auto& [members, refusal] : table) {
    EXPECT_EQ(slug_of(parse_target("{\"kind\":\"amqp\"," + members + "}")), refusal) << members;
  }
}

TEST(AmqpSettings, OneKindOfBrokerGivesWayToAnotherAndKeepsNothing) {
  const TargetSettings redis = stored(
      R"({"kind":"redis","url":"redis://q:7000","stream":"s","username":"u","password":"s3cret"})");
  const auto put = [&](std::string_view json) {
    return edit_target("queue", json, TargetEdit::replace, &redis, {});
  };
  const auto after = put(R"({"kind":"amqp","url":"amqp://q:7000","exchange":"x"})");
  ASSERT_TRUE(after) << after.error().detail;
  EXPECT_EQ(amqp_settings(*after).password, "");
  EXPECT_EQ(
      slug_of(put(
          R"({"kind":"amqp","url":"amqp://q:7000","exchange":"x","username":"u","password":"***"})")),
      "secret_needed password");
}

}  // namespace
}  // namespace carillon
