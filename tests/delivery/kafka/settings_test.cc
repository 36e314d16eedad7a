// The settings of targets of the kind `kafka`. What those of all brokers do is shown in
// tests/delivery/broker/settings_test.cc.

#include "delivery/kafka/settings.h"

#include <gtest/gtest.h>

#include "delivery/kafka/sockets.h"
#include "net/url_policy.h"

namespace carillon {
namespace {

TargetSettings stored(std::string_view json) {
  TargetSettings target = *parse_target(json);
  target.name = "topic";
  return target;
}
std::string slug_of(const Result<TargetSettings>& result) {
  return result ? "none" : result.error().slug + " " + result.error().field;
}
std::string refusal(const std::string& members) {
  return slug_of(parse_target(R"({"kind":"kafka")" + members + "}"));
}

TEST(KafkaSettings, ReadsEveryFieldAndWritesItBack) {
  const TargetSettings target = stored(
      R"({"kind":"kafka","brokers":["a.example.com:9093","[::1]"],"topic":"due.v1","acks":1,
          "sasl_mechanism":"SCRAM-SHA-512","username":"carillon","password":"s3cret",
          "tls":{"verify":false}})");
  const KafkaSettings& kafka = kafka_settings(target);
  EXPECT_EQ(kafka.brokers, (std::vector<std::string>{"a.example.com:9093", "[::1]"}));
  EXPECT_EQ(kafka.topic, "due.v1");
  EXPECT_FALSE(kafka.acks_all);
  EXPECT_EQ(kafka.sasl_mechanism, "SCRAM-SHA-512");
  EXPECT_EQ(kafka.receivers()->at(1).port, "9092");
  EXPECT_TRUE(kafka.receivers()->at(0).tls);
  TargetSettings again = *parse_target(format_target(target, Secrets::stored));
  again.name = target.name;
  EXPECT_EQ(again, target);
  EXPECT_EQ(format_target(target, Secrets::shown).find("s3cret"), std::string::npos);
}

TEST(KafkaSettings, WhatIsLeftOutHasTheKindsDefaults) {
  const TargetSettings target = stored(R"({"kind":"kafka","brokers":"a:1, b","topic":"due"})");
  const KafkaSettings& kafka = kafka_settings(target);
  EXPECT_EQ(kafka.brokers, (std::vector<std::string>{"a:1", "b"})) << "as bootstrap.servers has it";
  EXPECT_TRUE(kafka.acks_all);
  EXPECT_FALSE(kafka.receivers()->at(0).tls);
  EXPECT_EQ(target.concurrency, 1000U);
  const std::string text = format_target(target, Secrets::shown);
  EXPECT_NE(text.find(R"("acks":"all")"), std::string::npos) << text;
  EXPECT_EQ(text.find("tls"), std::string::npos) << text;
  EXPECT_EQ(text.find("url"), std::string::npos) << text;
}

TEST(KafkaSettings, RefusesWhatIsMissingOrWrong) {
  const std::string good = R"(,"brokers":["a"],"topic":"due")";
  EXPECT_EQ(refusal(good), "none");
  EXPECT_EQ(refusal(R"(,"topic":"due")"), "missing_field brokers");
  EXPECT_EQ(refusal(R"(,"brokers":[],"topic":"due")"), "missing_field brokers");
  EXPECT_EQ(refusal(R"(,"brokers":["a"])"), "missing_field topic");
  for (const std::string broker :
       {"kafka://a", "a/b", "user@a", "", "a:0", "a:70000", "a b", "a?x", "a,b"}) {
    EXPECT_EQ(refusal(R"(,"topic":"due","brokers":[")" + broker + "\"]"), "bad_value brokers")
        << broker;
  }
  std::string many = R"(,"topic":"due","brokers":["a")";
  for (int i = 0; i < 64; ++i) many += R"(,"a")";
  EXPECT_EQ(refusal(many + "]"), "bad_value brokers");
  for (const std::string topic : {".", "..", "a b", "a/b", "ä"}) {
    EXPECT_EQ(refusal(R"(,"brokers":["a"],"topic":")" + topic + "\""), "bad_value topic") << topic;
  }
  EXPECT_EQ(refusal(R"(,"brokers":["a"],"topic":")" + std::string(250, 'x') + "\""),
            "bad_value topic");
  EXPECT_EQ(refusal(good + R"(,"acks":"none")"), "bad_value acks");
  EXPECT_NE(refusal(good + R"(,"acks":0)"), "none");
  EXPECT_EQ(refusal(good + R"(,"sasl_mechanism":"GSSAPI")"), "bad_value sasl_mechanism");
  EXPECT_EQ(refusal(good + R"(,"password":"x")"), "bad_value username");
  EXPECT_EQ(refusal(good + R"(,"username":"x")"), "bad_value username");
  EXPECT_EQ(refusal(good + R"(,"url":"kafka://a")"), "unknown_field url");
  EXPECT_EQ(refusal(good + R"(,"keys":["a"])"), "unknown_field keys") << "all keys are free";
}

TEST(KafkaSettings, AHiddenPasswordGoesToNoOtherBrokerAndKeepsTls) {
  const std::string login = R"(,"topic":"due","username":"u","password":"***")";
  const TargetSettings before = stored(
      R"({"kind":"kafka","brokers":["a","b"],"topic":"due","username":"u","password":"p","tls":{}})");
  const auto edited = [&](const std::string& members) {
    return slug_of(edit_target("topic", R"({"kind":"kafka")" + members + login + "}",
                               TargetEdit::replace, &before));
  };
  EXPECT_EQ(edited(R"(,"brokers":["a","b"],"tls":{})"), "none");
  EXPECT_EQ(edited(R"(,"brokers":["b"],"tls":{})"), "none");
  EXPECT_EQ(edited(R"(,"brokers":["a","c"],"tls":{})"), "secret_needed password");
  EXPECT_EQ(edited(R"(,"brokers":["a:1"],"tls":{})"), "secret_needed password");
  EXPECT_EQ(edited(R"(,"brokers":["a"])"), "secret_needed password");
}

TEST(KafkaSettings, EachBrokerIsHeldToTheEgressRules) {
  UrlPolicy urls(*Egress::make({.allow = {}, .deny = {"10.0.0.1", ".internal"}}));
  const auto check = [&](const std::string& brokers) {
    const TargetSettings target =
        stored(R"({"kind":"kafka","topic":"due","brokers":[)" + brokers + "]}");
    const Result<> allowed = target.own->check_address(urls);
    return allowed ? "none" : allowed.error().slug + " " + allowed.error().field;
  };
  EXPECT_EQ(check(R"("10.0.0.2","a")"), "none");
  EXPECT_EQ(check(R"("10.0.0.2","10.0.0.1")"), "target_denied brokers");
  EXPECT_EQ(check(R"("k.internal")"), "target_denied brokers");
}

TEST(KafkaSockets, WhomLibrdkafkaWantsIsTakenFromItsNameForThem) {
  EXPECT_EQ(kafka_host_and_port("a.example.com:9092/bootstrap"), "a.example.com:9092");
  EXPECT_EQ(kafka_host_and_port("sasl_plaintext://a:9092/1"), "a:9092");
  EXPECT_EQ(kafka_host_and_port("::1:9092/1"), "[::1]:9092");
  EXPECT_EQ(kafka_host_and_port("[::1]:9092/bootstrap"), "[::1]:9092");
}

}  // namespace
}  // namespace carillon
