// The settings of targets of the kind `nats`. What those of all brokers do is shown in
// tests/delivery/broker/settings_test.cc.

#include "delivery/nats/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace carillon {
namespace {

using ::testing::HasSubstr;

TargetSettings stored(std::string_view json) {
  TargetSettings target = *parse_target(json);
  target.name = "queue";
  return target;
}
std::string slug_of(const Result<TargetSettings>& result) {
  return result ? "none" : result.error().slug + " " + result.error().field;
}

TEST(NatsSettings, ReadsEveryFieldAndWritesItBack) {
  for (const std::string_view who :
       {R"("username":"carillon","password":"s3cret")", R"("creds_file":"/etc/nats.creds")"}) {
    const TargetSettings target =
        stored(R"({"kind":"nats","url":"tls://nats.example.com:7000","subject":"orders.due",)" +
               std::string(who) + "}");
    const NatsSettings& nats = nats_settings(target);
    EXPECT_EQ(nats.subject, "orders.due");
    EXPECT_TRUE(nats.parsed_url()->tls);
    EXPECT_EQ(target.concurrency, 1000U);
    TargetSettings again = *parse_target(format_target(target, Secrets::stored));
    again.name = target.name;
    EXPECT_EQ(again, target);
    EXPECT_EQ(format_target(target, Secrets::shown).find("s3cret"), std::string::npos);
  }
  EXPECT_EQ(
      nats_settings(stored(R"({"kind":"nats","url":"nats://q","subject":"s"})")).parsed_url()->port,
      "4222");
}

TEST(NatsSettings, RefusesWhatIsWrongAndNamesTheField) {
  const struct {
    std::string_view members, refusal;
  } table[] = {
      {R"("url":"nats://q")", "missing_field subject"},
      {R"("subject":"s")", "missing_field url"},
      {R"("url":"natss://q","subject":"s")", "bad_url url"},
      {R"("url":"nats://q/orders","subject":"s")", "bad_url url"},
      {R"("url":"nats://token@q","subject":"s")", "bad_url url"},
      {R"("url":"nats://q","subject":"a b")", "bad_value subject"},
      {R"("url":"nats://q","subject":"a.*")", "bad_value subject"},
      {R"("url":"nats://q","subject":"a.>")", "bad_value subject"},
      {R"("url":"nats://q","subject":".a")", "bad_value subject"},
      {R"("url":"nats://q","subject":"a.")", "bad_value subject"},
      {R"("url":"nats://q","subject":"a..b")", "bad_value subject"},
      {R"("url":"nats://q","subject":"a\r\nPUB b")", "bad_value subject"},
      {R"("url":"nats://q","subject":"$JS.API.STREAM.DELETE.orders")", "bad_value subject"},
      {R"("url":"nats://q","subject":"s","exchange":"x")", "unknown_field exchange"},
      {R"("url":"nats://q","subject":"s","creds_file":"/c","password":"p")",
       "conflicting_fields creds_file"},
      {R"("url":"nats://q","subject":"s","creds_file":"/c","username":"u","password_file":"/p")",
       "conflicting_fields creds_file"},
      {R"("url":"nats://q","subject":"s","creds_file":"a\nb")", "bad_value creds_file"},
      {R"("url":"nats://q","subject":"s","username":"u")", "bad_value username"},
  };
  for (const auto& [members, refusal] : table) {
    EXPECT_EQ(slug_of(parse_target(R"({"kind":"nats",)" + std::string(members) + "}")), refusal)
        << members;
  }
  for (const std::string_view subject : {"a", "a.b.c", "bestellungen.fällig", "a-b_c.$x"}) {
    EXPECT_EQ(slug_of(parse_target(R"({"kind":"nats","url":"nats://q","subject":")" +
                                   std::string(subject) + "\"}")),
              "none")
        << subject;
  }
}

TEST(NatsSettings, AKeyIsASubjectThatAPatternAllows) {
  const TargetSettings target =
      stored(R"({"kind":"nats","url":"nats://q","subject":"s","keys":["*"]})");
  EXPECT_TRUE(target.own->check_key("orders.due"));
  for (const std::string_view key :
       {"$JS.API.STREAM.DELETE.orders", "a b", "a.*", ">", "a..b", "."}) {
    EXPECT_FALSE(target.own->check_key(key)) << key;
  }
}

TEST(NatsSettings, AFileOfCredentialsIsReadAndMustHoldBoth) {
  const test::TempDir dir;
  const auto read = [&](const std::string& text) {
    test::write_file(dir / "creds", text);
    const TargetSettings target = stored(
        R"({"kind":"nats","url":"nats://q","subject":"s","creds_file":")" + dir / "creds" + "\"}");
    return nats_settings(target).read_credentials();
  };
  const std::string jwt =
      "-----BEGIN NATS USER JWT-----\r\neyJ0.a-b_c.d\n------END NATS USER JWT------\n";
  const std::string seed =
      "\n-----BEGIN USER NKEY SEED-----\nSUAB22\n------END USER NKEY SEED------\n";
  const Result<NatsCredentials> whole =
      read(jwt + "\n*** IMPORTANT ***\nkeep it\n" + seed + "\n***\n");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->jwt, "eyJ0.a-b_c.d");
  EXPECT_EQ(whole->seed, "SUAB22");
  for (const std::string& broken :
       {std::string("x"), jwt, seed, seed + jwt, jwt + jwt, std::string(70'000, 'x')}) {
    const Result<NatsCredentials> none = read(broken);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().slug, "unusable_file");
    EXPECT_EQ(none.error().field, "creds_file");
    EXPECT_THAT(none.error().detail, ::testing::Not(HasSubstr("SUAB22")));
  }
}

TEST(NatsSettings, AClientMayNameCredentialsOnlyInTheDirectoryOfSecrets) {
  const test::TempDir dir;
  test::write_file(dir / "creds", "x");
  const std::string before = R"({"kind":"nats","url":"nats://q","subject":"s","creds_file":")";
  const auto put = [&](const std::string& file, const TargetSettings* old,
                       const std::string& secrets_dir, const std::string& host = "q") {
    std::string json = before + file + "\"}";
    json.replace(json.find("//q") + 2, 1, host);
    return slug_of(edit_target("queue", json, TargetEdit::replace, old, secrets_dir));
  };
  EXPECT_EQ(put("/etc/shadow", nullptr, ""), "bad_value creds_file");
  EXPECT_EQ(put("/etc/shadow", nullptr, dir.path().string()), "bad_value creds_file");
  EXPECT_EQ(put(dir / "creds", nullptr, dir.path().string()), "none");
  const TargetSettings old = stored(before + "/etc/nats.creds\"}");
  EXPECT_EQ(put("/etc/nats.creds", &old, ""), "none") << "the config file may have named it";
  EXPECT_EQ(put("/etc/nats.creds", &old, "", "elsewhere"), "bad_value creds_file");
}

}  // namespace
}  // namespace carillon
