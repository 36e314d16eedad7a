#include "server/config.h"

#include <gmock/gmock.h>

#include "server/listen.h"
#include "tests/support/temp_dir.h"

namespace carillon {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

Arguments parsed(std::vector<const char*> words) {
  words.insert(words.begin(), "carillond");
  auto result = parse_arguments(static_cast<int>(words.size()), words.data());
  const auto* exit = std::get_if<EarlyExit>(&result);
  EXPECT_EQ(exit, nullptr) << exit->text;
  return exit == nullptr ? std::get<Arguments>(result) : Arguments{};
}

EarlyExit refused(std::vector<const char*> words) {
  words.insert(words.begin(), "carillond");
  auto result = parse_arguments(static_cast<int>(words.size()), words.data());
  const auto* exit = std::get_if<EarlyExit>(&result);
  EXPECT_NE(exit, nullptr);
  return exit == nullptr ? EarlyExit{.code = -1, .text = {}} : *exit;
}

class ConfigFile : public testing::Test {
 protected:
  Result<Options> load(const std::string& text, const Environment& environment = {}) {
    test::write_file(file_, text);
    return load_options(Arguments{.config_file = file_, .check_config = false, .flags = {}},
                        environment);
  }
  std::string error_of(const std::string& text) {
    const Result<Options> options = load(text);
    EXPECT_FALSE(options) << "taken: " << text;
    if (options) return {};
    EXPECT_EQ(options.error().slug, "config");
    return options.error().detail;
  }

  test::TempDir dir_;
  const std::string file_ = dir_ / "a.toml";
};

TEST(Config, WithNothingSaidSuitsASidecar) {
  const Result<Options> options = load_options({}, {});
  ASSERT_TRUE(options);
  EXPECT_THAT(options->listen, ElementsAre("127.0.0.1:8080"));
  EXPECT_EQ(options->data_dir, "./carillon-data");
  EXPECT_EQ(options->clock, "system");
  EXPECT_THAT(options->api.tokens, IsEmpty());
  EXPECT_EQ(options->engine.horizon, std::chrono::days(30));
  EXPECT_EQ(options->engine.shard.retain_finished, std::chrono::hours(1));
}

TEST_F(ConfigFile, SetsValuesOfEveryType) {
  const Result<Options> options = load(R"(
    listen = ["127.0.0.1:0", "unix:/run/c.sock"]
    clock = "manual"
    retain_finished = "10m"
    catch_up_per_second = 100
    [limits]
    body_bytes_max = "2MiB"
    idle_timeout = 1500
    [egress]
    private = false
    deny = "example.com"
    log.format = "json"
  )");
  ASSERT_FALSE(options) << "log is no part of egress";

  const Result<Options> right = load(R"(
    listen = ["127.0.0.1:0", "unix:/run/c.sock"]
    clock = "manual"
    retain_finished = "10m"
    catch_up_per_second = 100
    log.format = "json"
    [limits]
    body_bytes_max = "2MiB"
    idle_timeout = 1500
    [egress]
    private = false
    deny = "example.com"
  )");
  ASSERT_TRUE(right) << right.error().detail;
  EXPECT_THAT(right->listen, ElementsAre("127.0.0.1:0", "unix:/run/c.sock"));
  EXPECT_EQ(right->clock, "manual");
  EXPECT_EQ(right->engine.shard.retain_finished, std::chrono::minutes(10));
  EXPECT_EQ(right->engine.shard.catch_up_per_second, 100U);
  EXPECT_EQ(right->api.limits.body_bytes_max, 2U << 20);
  EXPECT_EQ(right->http.limits.idle_timeout, Millis(1500));
  EXPECT_FALSE(right->egress.allow_private);
  EXPECT_THAT(right->egress.deny, ElementsAre("example.com"));
  EXPECT_EQ(right->log.format, "json");
}

TEST_F(ConfigFile, FlagBeatsEnvironmentBeatsFile) {
  const std::string text = "data_dir = 'file'\nlog.level = 'debug'\nhorizon = '3d'\n";
  const Environment environment{{"CARILLON_DATA_DIR", "environment"}, {"CARILLON_HORIZON", "2d"}};
  Result<Options> options = load(text, environment);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->data_dir, "environment");
  EXPECT_EQ(options->log.level, "debug");
  EXPECT_EQ(options->engine.horizon, std::chrono::days(2));

  options = load_options(parsed({"--config", file_.c_str(), "--data-dir", "flag"}), environment);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->data_dir, "flag");
  EXPECT_EQ(options->log.level, "debug");
}

TEST_F(ConfigFile, IsNamedByTheEnvironmentToo) {
  const std::string file = dir_ / "b.toml";
  test::write_file(file, "data_dir = 'here'");
  const Result<Options> options = load_options({}, {{"CARILLON_CONFIG", file}});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->data_dir, "here");
}

TEST_F(ConfigFile, UnknownKeyIsRefusedWithPlaceAndNearestMatch) {
  EXPECT_EQ(error_of("data_dri = 'x'"),
            file_ + ":1:1: unknown key \"data_dri\"; did you mean \"data_dir\"?");
  EXPECT_EQ(error_of("\n[limits]\n  body_byte_max = 5"),
            file_ +
                ":3:3: unknown key \"limits.body_byte_max\"; did you mean "
                "\"limits.body_bytes_max\"?");
  EXPECT_THAT(error_of("[limit]\nbody_bytes_max = 5"), HasSubstr("did you mean \"limits\"?"));
  EXPECT_THAT(error_of("idle_timeout = '5s'"), HasSubstr("did you mean \"limits.idle_timeout\"?"));
  EXPECT_EQ(error_of("zzzzzzzzz = 1"), file_ + ":1:1: unknown key \"zzzzzzzzz\"");
  EXPECT_THAT(error_of("[target.mail]\nurl = 'http://a/'"), HasSubstr("did you mean \"targets\"?"));
}

TEST_F(ConfigFile, WrongTypesAndValuesNameTheLineAndWhatIsAllowed) {
  const auto line_2 = [&] { return StartsWith(file_ + ":2:"); };
  EXPECT_THAT(error_of("\nclock = 'solar'"), AllOf(line_2(), HasSubstr("system, manual")));
  EXPECT_THAT(error_of("\nclock = 5"), AllOf(line_2(), HasSubstr("system, manual")));
  EXPECT_THAT(error_of("\ninsecure = 'true'"), AllOf(line_2(), HasSubstr("true or false")));
  EXPECT_THAT(error_of("\ninsecure = 1"), AllOf(line_2(), HasSubstr("true or false")));
  EXPECT_THAT(error_of("\nhorizon = '99d'"), AllOf(line_2(), HasSubstr("1s to 45d")));
  EXPECT_THAT(error_of("\nhorizon = 1.5"), AllOf(line_2(), HasSubstr("a duration")));
  EXPECT_THAT(error_of("\nhorizon = true"), AllOf(line_2(), HasSubstr("a duration")));
  EXPECT_THAT(error_of("\nmax_pending = -1"), AllOf(line_2(), HasSubstr("a number, 1 to ")));
  EXPECT_THAT(error_of("\nlisten = [1]"), AllOf(line_2(), HasSubstr("a list of texts")));
  EXPECT_THAT(error_of("\nlimits = 5"), AllOf(line_2(), HasSubstr("unknown key \"limits\"")));
  EXPECT_THAT(error_of("\nclock.of = 'x'"), line_2());
}

TEST_F(ConfigFile, BadTomlNamesTheLine) {
  EXPECT_THAT(error_of("a = \n"), StartsWith(file_ + ":1:"));
  EXPECT_THAT(error_of("\nclock = 'system'\nclock = 'system'\n"), StartsWith(file_ + ":3:"));
}

TEST_F(ConfigFile, ProxyTakesItsCredentialsFromAFileOrAVariable) {
  const std::string secret = dir_ / "proxy";
  test::write_file(secret, "ann:secret\n");
  const std::string proxy = "[egress]\nproxy = 'http://proxy:3128'\n";
  EXPECT_FALSE(load("")->way_out);
  EXPECT_EQ(load(proxy)->way_out->authorization, "");
  EXPECT_EQ(load(proxy + "proxy_credentials_file = '" + secret + "'")->way_out->authorization,
            "Basic YW5uOnNlY3JldA==");
  const Environment environment{{"PROXY_SECRET", "ann:secret"}};
  const std::string by_variable = proxy + "proxy_credentials_env = 'PROXY_SECRET'";
  EXPECT_EQ(load(by_variable, environment)->way_out->authorization, "Basic YW5uOnNlY3JldA==");
  EXPECT_THAT(load(by_variable).error().detail, HasSubstr("PROXY_SECRET is not set"));
  EXPECT_FALSE(load(by_variable + "\nproxy_credentials_file = '" + secret + "'", environment));
  EXPECT_FALSE(load(proxy + "proxy_credentials_file = '/nonexistent'"));
  EXPECT_FALSE(load("[egress]\nproxy = 'proxy:3128'"));
}

TEST(Config, MissingFileIsRefusedByName) {
  const Result<Options> options = load_options(
      Arguments{.config_file = "/no/such.toml", .check_config = false, .flags = {}}, {});
  ASSERT_FALSE(options);
  EXPECT_THAT(options.error().detail, HasSubstr("/no/such.toml"));
}

TEST(Config, BadVariableIsNamed) {
  const Result<Options> options = load_options({}, {{"CARILLON_HORIZON", "soon"}});
  ASSERT_FALSE(options);
  EXPECT_THAT(options.error().detail, StartsWith("CARILLON_HORIZON: "));
}

TEST(Config, MistypedVariableIsAWarningAndOthersOfThatNameAreNot) {
  const Result<Options> options = load_options(
      {}, {{"CARILLON_DATADIR", "x"}, {"CARILLON_SERVICE_HOST", "10.0.0.1"}, {"HOME", "/root"}});
  ASSERT_TRUE(options);
  EXPECT_THAT(options->warnings, ElementsAre(HasSubstr("CARILLON_DATA_DIR")));
}

TEST(Listen, BeyondThisMachineWithoutATokenIsRefusedUnlessInsecure) {
  for (const char* where : {"0.0.0.0:0", "[::]:0", "192.0.2.1:80", "example.com:80"}) {
    const Result<Options> options = load_options(parsed({"--listen", where}), {});
    ASSERT_FALSE(options) << where;
    EXPECT_THAT(options.error().detail, HasSubstr("--insecure"));
    EXPECT_TRUE(load_options(parsed({"--listen", where, "--insecure"}), {})) << where;
  }
  for (const char* where : {"127.0.0.1:0", "127.9.9.9:1", "[::1]:0", "localhost:0", "unix:/x"}) {
    EXPECT_TRUE(load_options(parsed({"--listen", where}), {})) << where;
  }
}

TEST(Listen, ProbesMayBeReachedFromOtherMachines) {
  const Result<Options> options = load_options({}, {{"CARILLON_PROBE_LISTEN", "0.0.0.0:9090"}});
  ASSERT_TRUE(options);
  const auto addresses = listen_addresses(*options);
  ASSERT_TRUE(addresses);
  ASSERT_EQ(addresses->size(), 2U);
  EXPECT_FALSE(addresses->at(0).probes_only);
  EXPECT_TRUE(addresses->at(0).loopback_only);
  EXPECT_TRUE(addresses->at(1).probes_only);
  EXPECT_FALSE(addresses->at(1).loopback_only);
  EXPECT_FALSE(load_options({}, {{"CARILLON_PROBE_LISTEN", "9090"}}));
}

TEST(Listen, ModeOfASocketIsOctalAndOpenToItsGroup) {
  const auto mode = [](const Environment& environment) {
    const Result<Options> options = load_options({}, environment);
    return options ? listen_addresses(*options)->front().unix_mode : 0;
  };
  EXPECT_EQ(mode({}), 0700U);
  EXPECT_EQ(mode({{"CARILLON_LISTEN_GROUP", "apps"}}), 0770U);
  EXPECT_EQ(mode({{"CARILLON_LISTEN_MODE", "0660"}, {"CARILLON_LISTEN_GROUP", "apps"}}), 0660U);
  EXPECT_EQ(mode({{"CARILLON_LISTEN_MODE", "666"}}), 0666U);
  for (const char* bad : {"0888", "rw", "01777", "-1", "0660 "})
    EXPECT_FALSE(load_options({}, {{"CARILLON_LISTEN_MODE", bad}})) << bad;
}

TEST(Hosts, AreNamesAndNoUrls) {
  const Result<Options> options = load_options({}, {{"CARILLON_HTTP_HOSTS", "a.example,b"}});
  ASSERT_TRUE(options);
  EXPECT_THAT(options->http.hosts, ElementsAre("a.example", "b"));
  const Result<Options> bad = load_options({}, {{"CARILLON_HTTP_HOSTS", "http://a"}});
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().detail, HasSubstr("is not a host name"));
}

TEST(Listen, FormsAreReadAndOthersRefused) {
  EXPECT_EQ(parse_listen("10.1.2.3:80")->host, "10.1.2.3");
  EXPECT_EQ(parse_listen("10.1.2.3:80")->port, 80);
  EXPECT_EQ(parse_listen("[fe80::1]:65535")->host, "fe80::1");
  EXPECT_EQ(parse_listen("unix:/run/a b")->unix_path, "/run/a b");
  for (const char* bad : {"", "80", ":80", "a:", "a:b", "a:70000", "a:-1", "::1:80",
                          "unix:", "[::1]", "[::1]80", "a:80x"}) {
    EXPECT_FALSE(parse_listen(bad)) << bad;
  }
  EXPECT_FALSE(parse_listen("unix:/" + std::string(107, 'x')));
}

TEST(Tls, FilesThatDoNotGoTogetherAreRefused) {
  EXPECT_FALSE(load_options({}, {{"CARILLON_TLS_CERTIFICATE_FILE", "/a"}}));
  EXPECT_FALSE(load_options({}, {{"CARILLON_TLS_PRIVATE_KEY_FILE", "/a"}}));
  EXPECT_FALSE(load_options({}, {{"CARILLON_TLS_CLIENT_CA_FILE", "/a"}}));
  EXPECT_FALSE(load_options({}, {{"CARILLON_TLS_CERTIFICATE_FILE", "/no/such"},
                                 {"CARILLON_TLS_PRIVATE_KEY_FILE", "/no/such"}}));
}

TEST(Arguments, RepeatedListenIsAList) {
  const Result<Options> options =
      load_options(parsed({"--listen", "127.0.0.1:1", "--listen", "unix:/a,b"}), {});
  ASSERT_TRUE(options);
  EXPECT_THAT(options->listen, ElementsAre("127.0.0.1:1", "unix:/a,b"));
}

TEST(Arguments, NonsenseIsUsageAndHelpIsNot) {
  EXPECT_EQ(refused({"--no-such"}).code, 2);
  EXPECT_EQ(refused({"word"}).code, 2);
  EXPECT_EQ(refused({"--data-dir"}).code, 2);
  EXPECT_EQ(refused({"--clock", "manual", "--clock", "system"}).code, 2);
  const EarlyExit help = refused({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const Setting& setting : settings()) EXPECT_THAT(help.text, HasSubstr(setting.key));
  EXPECT_EQ(refused({"--version"}).code, 0);
  EXPECT_THAT(refused({"--version"}).text, StartsWith("carillond "));
}

TEST(Reload, NamesTheSettingsThatTakeARestart) {
  Options before;
  Options after;
  after.data_dir = "elsewhere";
  after.log.level = "debug";
  after.api.limits.body_bytes_max = 5000;
  EXPECT_THAT(settings_that_need_restart(before, after), ElementsAre("data_dir"));
}

}  // namespace
}  // namespace carillon
