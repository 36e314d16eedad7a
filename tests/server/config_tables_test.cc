#include "server/config_tables.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "delivery/http/settings.h"
#include "delivery/redis/settings.h"
#include "server/config.h"
#include "tests/support/temp_dir.h"

namespace carillon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr char kSecretA[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr char kSecretB[] = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

class ConfigTable : public testing::Test {
 protected:
  Result<Options> load(const std::string& text, std::filesystem::perms others = {}) {
    test::write_file(file_, text);
    std::filesystem::permissions(file_, std::filesystem::perms::owner_all | others);
    return load_options(Arguments{.config_file = file_, .check_config = false, .flags = {}},
                        {{"MY_TOKEN", "0123456789abcdef0123456789abcdef"},
                         {"SHORT", "abc"},
                         {"MY_SECRETS", std::string(kSecretA) + " " + kSecretB}});
  }
  std::string error_of(const std::string& text) {
    const Result<Options> options = load(text);
    EXPECT_FALSE(options) << "taken: " << text;
    return options ? "" : options.error().detail;
  }

  test::TempDir dir_;
  const std::string file_ = dir_ / "a.toml";
};

TEST_F(ConfigTable, LanesHaveAWeightAndWhatTheyReserve) {
  const Result<Options> options = load(R"(
    [lanes.critical]
    weight = 8
    reserved = 0.3
    [lanes.bulk]
  )");
  ASSERT_TRUE(options) << options.error().detail;
  ASSERT_EQ(options->lanes.size(), 2U);
  for (const ConfiguredLane& lane : options->lanes) {
    EXPECT_EQ(lane.settings, lane.name == "critical" ? (LaneSettings{8, 300}) : LaneSettings{});
  }
}

TEST_F(ConfigTable, LanesOutOfBoundsAreRefusedWithTheirPlace) {
  EXPECT_THAT(error_of("[lanes.a]\nweight = 0"), HasSubstr("a.toml:2:10: lanes.a: weight is"));
  EXPECT_THAT(error_of("[lanes.a]\nreserved = 1"), HasSubstr("`reserved` must be from 0 to 0.9"));
  EXPECT_THAT(error_of("[lanes.a]\nweigth = 1"), HasSubstr("did you mean \"weight\"?"));
  EXPECT_THAT(error_of("[lanes]\na = 1"), HasSubstr("lanes.a is a table"));
  EXPECT_THAT(error_of("[lanes.a]\nreserved = 0.5\n[lanes.b]\nreserved = 0.5"),
              HasSubstr("together may reserve 0.9"));
}

TEST_F(ConfigTable, TokenComesAsHashOrByFileOrByEnvironment) {
  const std::string file = dir_ / "token";
  test::write_file(file, "0123456789abcdef0123456789abcdef\n");
  const Result<Options> options = load(R"(
    [[tokens]]
    name = "hash"
    role = "read"
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    [[tokens]]
    name = "file"
    role = "write"
    file = ")" + file + R"("
    [[tokens]]
    name = "env"
    role = "admin"
    env = "MY_TOKEN"
  )");
  ASSERT_TRUE(options) << options.error().detail;
  ASSERT_EQ(options->api.tokens.size(), 3U);
  EXPECT_EQ(options->api.tokens[0].sha256, sha256("abc"));
  EXPECT_EQ(options->api.tokens[0].role, Role::read);
  EXPECT_EQ(options->api.tokens[1].sha256, sha256("0123456789abcdef0123456789abcdef"));
  EXPECT_EQ(options->api.tokens[1].role, Role::write);
  EXPECT_EQ(options->api.tokens[2].sha256, options->api.tokens[1].sha256);
  EXPECT_EQ(options->api.tokens[2].role, Role::admin);
}

TEST_F(ConfigTable, AListenerBeyondThisMachineIsFineWithAToken) {
  EXPECT_TRUE(load("listen = '0.0.0.0:0'\n[[tokens]]\nname='a'\nrole='read'\nenv='MY_TOKEN'"));
}

TEST_F(ConfigTable, BadTokensAreRefusedWithTheLine) {
  EXPECT_THAT(error_of("[[tokens]]\nname='a'\nrole='root'\nenv='MY_TOKEN'"),
              HasSubstr("read, write or admin"));
  EXPECT_THAT(error_of("[[tokens]]\nrole='read'\nenv='MY_TOKEN'"), HasSubstr("needs a name"));
  EXPECT_THAT(error_of("[[tokens]]\nname='a'\nrole='read'"), HasSubstr("exactly one of"));
  EXPECT_THAT(error_of("[[tokens]]\nname='a'\nrole='read'\nenv='MY_TOKEN'\nfile='x'"),
              HasSubstr("exactly one of"));
  EXPECT_THAT(error_of("[[tokens]]\nname='a'\nrole='read'\nenv='NONE'"), StartsWith(file_ + ":4:"));
  EXPECT_THAT(error_of("[[tokens]]\nname='a'\nrole='read'\nenv='SHORT'"),
              HasSubstr("fewer than 16"));
  EXPECT_THAT(error_of("[[tokens]]\nname='a'\nrole='read'\nfile='/no/such'"),
              HasSubstr("/no/such"));
  EXPECT_THAT(error_of("[[tokens]]\nname='a'\nrole='read'\nsha256='abc'"),
              HasSubstr("64 hexadecimal digits"));
  EXPECT_THAT(error_of("[[tokens]]\nname='a'\nrole='read'\nsha265='x'"),
              HasSubstr("did you mean \"sha256\"?"));
  EXPECT_THAT(error_of("[tokens]\nname='a'"), HasSubstr("[[tokens]]"));
  const std::string one = "[[tokens]]\nname='a'\nrole='read'\nenv='MY_TOKEN'\n";
  EXPECT_THAT(error_of(one + one), HasSubstr("two tokens"));
}

TEST_F(ConfigTable, TargetTakesTheFieldsOfTheApi) {
  const Result<Options> options = load(R"(
    [targets.mail]
    url = "https://mail.example.com/push"
    method = "PUT"
    timeout = "5s"
    concurrency = 7
    headers = { "x-a" = "1" }
    retry = { max_attempts = 3, backoff_min = "2s", backoff_max = "1m" }
    [targets."shop orders"]
    url = "http://127.0.0.1:9000/"
    paused = true
  )");
  ASSERT_TRUE(options) << options.error().detail;
  ASSERT_EQ(options->targets.size(), 2U);
  const TargetSettings& mail = options->targets[0].settings;
  EXPECT_EQ(mail.name, "mail");
  EXPECT_EQ(http_settings(mail).url, "https://mail.example.com/push");
  EXPECT_EQ(http_settings(mail).method, "PUT");
  EXPECT_EQ(mail.timeout, std::chrono::seconds(5));
  EXPECT_EQ(mail.concurrency, 7U);
  EXPECT_EQ(mail.retry.max_attempts, 3);
  EXPECT_FALSE(options->targets[0].sets_paused);
  EXPECT_EQ(options->targets[1].settings.name, "shop orders");
  EXPECT_TRUE(options->targets[1].settings.paused);
  EXPECT_TRUE(options->targets[1].sets_paused);
}

TEST_F(ConfigTable, BadTargetNamesTheLineOfTheFieldAtFault) {
  const std::string head = "[targets.mail]\nurl = 'http://a.example/'\n";
  EXPECT_THAT(error_of(head + "concurency = 7"), StartsWith(file_ + ":"));
  EXPECT_THAT(error_of(head + "concurency = 7"), HasSubstr("concurrency"));
  EXPECT_THAT(error_of(head + "concurrency = 0"), StartsWith(file_ + ":3:"));
  EXPECT_THAT(error_of(head + "timeout = 'soon'"), StartsWith(file_ + ":3:"));
  EXPECT_THAT(error_of("[targets.mail]\nurl = 'ftp://a/'"), StartsWith(file_ + ":2:"));
  for (const char* name : {"'.'", "'..'", "\"a\\u0007b\"", "'http://a/'", "''"}) {
    EXPECT_THAT(error_of("[targets." + std::string(name) + "]\nurl = 'http://a.example/'"),
                StartsWith(file_ + ":1:"))
        << name;
  }
  EXPECT_THAT(error_of("[targets.mail]\n"), StartsWith(file_ + ":1:"));
  EXPECT_THAT(error_of("[targets]\nmail = 5"), HasSubstr("is a table"));
}

TEST_F(ConfigTable, SecretsComeFromFileAndEnvironment) {
  const std::string file = dir_ / "secrets";
  test::write_file(file, std::string(kSecretA) + "\n");
  const std::string head = "[targets.a]\nurl = 'http://a.example/'\n";
  Result<Options> options = load(head + "secrets_file = '" + file + "'");
  ASSERT_TRUE(options) << options.error().detail;
  EXPECT_THAT(http_settings(options->targets[0].settings).secrets, ElementsAre(kSecretA));
  options = load(head + "secrets_env = 'MY_SECRETS'");
  ASSERT_TRUE(options) << options.error().detail;
  EXPECT_THAT(http_settings(options->targets[0].settings).secrets, ElementsAre(kSecretA, kSecretB));
  EXPECT_THAT(error_of(head + "secrets_env = 'NONE'"), StartsWith(file_ + ":3:"));
  EXPECT_THAT(error_of(head + "secrets_file = '/no/such'"), HasSubstr("/no/such"));
}

TEST_F(ConfigTable, SecretsInAFileThatOthersMayReadAreAWarning) {
  const std::string text =
      std::string("[targets.a]\nurl = 'http://a.example/'\nsecrets = ['") + kSecretA + "']\n";
  Result<Options> options = load(text);
  ASSERT_TRUE(options) << options.error().detail;
  EXPECT_THAT(options->warnings, IsEmpty());
  options = load(text, std::filesystem::perms::others_read);
  ASSERT_TRUE(options);
  ASSERT_EQ(options->warnings.size(), 1U);
  EXPECT_THAT(options->warnings[0], testing::Not(HasSubstr("whsec_")));
}

TEST_F(ConfigTable, UrlDefaultsTakeATargetsFieldsWithoutUrl) {
  const Result<Options> options = load(
      "[url_defaults]\nconnection_max_age = '5s'\nconcurrency = 9\ntimeout = '2s'\nretry = { "
      "max_attempts = 2 }");
  ASSERT_TRUE(options) << options.error().detail;
  EXPECT_EQ(options->engine.url_defaults.concurrency, 9U);
  EXPECT_EQ(options->engine.shard.url_concurrency, 9U);
  EXPECT_EQ(http_settings(options->engine.url_defaults).connection_max_age,
            std::chrono::seconds(5));
  EXPECT_EQ(options->engine.url_defaults.timeout, std::chrono::seconds(2));
  EXPECT_EQ(options->engine.url_defaults.retry.max_attempts, 2);
  EXPECT_EQ(http_settings(options->engine.url_defaults).url, "");
  EXPECT_THAT(error_of("[url_defaults]\nurl = 'http://a/'"), StartsWith(file_ + ":2:"));
}

TEST_F(ConfigTable, TheNameOfATargetIsOneThatTheApiTakes) {
  for (const char* name : {R"("")", R"("a\u0007b")", R"("http://a/")"}) {
    const std::string error =
        error_of(std::string("[targets.") + name + "]\nurl = \"http://a/\"\n");
    EXPECT_THAT(error, HasSubstr("a.toml:1:")) << name;
  }
  const Result<Options> fine = load("[targets.\"a b/c\"]\nurl = \"http://a/\"\n");
  ASSERT_TRUE(fine) << fine.error().detail;
  EXPECT_EQ(fine->targets.at(0).settings.name, "a b/c");
}

TEST_F(ConfigTable, TlsFilesOfTargetsAreRead) {
  const std::string junk = dir_ / "junk.pem";
  test::write_file(junk, "junk");
  for (const char* table : {"[targets.a]\nurl = \"https://a/\"\n", "[url_defaults]\n"}) {
    const std::string missing = dir_ / "missing.pem";
    EXPECT_THAT(error_of(table + ("tls = { ca_file = \"" + missing + "\" }\n")),
                HasSubstr("ca_file " + missing + " cannot be used: No such file"));
    EXPECT_THAT(error_of(table + ("tls = { ca_file = \"" + junk + "\" }\n")),
                HasSubstr("ca_file " + junk + " cannot be used: "));
  }
}

TEST_F(ConfigTable, ATargetOfAnotherKindNamesAnyFileOfItsPassword) {
  const std::string file = dir_ / "password";
  test::write_file(file, "s3cret\n");
  const std::string table = R"(
    [targets.queue]
    kind = "redis"
    url = "redis://queue.example/1"
    stream = "due"
    password_file = ")";
  const Result<Options> options = load(table + file + "\"\n");
  ASSERT_TRUE(options) << options.error().detail;
  ASSERT_EQ(options->targets.size(), 1U);
  const TargetSettings& target = options->targets[0].settings;
  EXPECT_EQ(*redis_settings(target).read_password(), "s3cret");
  EXPECT_EQ(target.concurrency, 1000U);
  EXPECT_THAT(error_of(table + dir_ / "none" + "\"\n"), HasSubstr("there is no file"));
  EXPECT_THAT(error_of("[url_defaults]\nkind = \"redis\"\n"), HasSubstr("`http` alone"));
}

TEST_F(ConfigTable, APasswordInAFileThatAllMayReadIsWarnedOf) {
  const std::string table =
      "[targets.queue]\nkind = \"redis\"\nurl = \"redis://q\"\nstream = \"s\"\npassword = \"p\"\n";
  EXPECT_THAT(load(table)->warnings, IsEmpty());
  EXPECT_THAT(load(table, std::filesystem::perms::others_read)->warnings,
              ElementsAre(HasSubstr("may read the secrets of targets.queue")));
}

}  // namespace
}  // namespace carillon
