// Every command of carillon against a real server: what it prints, and its exit code.

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"
#include "tests/support/raw_server.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr Millis kPatience = std::chrono::seconds(30);

class CliTest : public ::testing::Test {
 protected:
  void SetUp() override {
    receiver = start_receiver();
    ASSERT_TRUE(server.start());
  }
  Finished cli(std::vector<std::string> arguments, const std::string& input = {}) {
    arguments.insert(arguments.begin(), program("carillon"));
    return run_program(std::move(arguments), {{"CARILLON_SERVER", server.url()}}, input);
  }
  /// One that must succeed; what it printed.
  std::string ok(std::vector<std::string> arguments, const std::string& input = {}) {
    const std::string name = arguments[0];
    const Finished finished = cli(std::move(arguments), input);
    EXPECT_EQ(finished.ending, (Ending{0, 0})) << name << ": " << finished.errors;
    return finished.output;
  }
  std::string add(const std::string& id, const std::string& delay = "1h") {
    return ok({"add", "--id", id, "--delay", delay, "--target", receiver->url(), "--group", "g",
               "--payload", R"({"n": 1})", "--header", "X-Who: me"});
  }

  TempDir dir;
  std::unique_ptr<load::Receiver> receiver;
  Carillond server{dir / "data", {"--clock", "manual"}};
};

TEST_F(CliTest, TaskIsAddedShownMovedListedAndCancelled) {
  EXPECT_THAT(add("user 1:coupon/7"), AllOf(HasSubstr("user 1:coupon/7"), HasSubstr("scheduled")));
  const std::string before = ok({"--json", "get", "user 1:coupon/7"});
  EXPECT_EQ(text_at(before, "/headers/X-Who"), "me");
  ok({"move", "user 1:coupon/7", "--delay", "2h"});
  const std::string after = ok({"get", "--json", "user 1:coupon/7"});
  EXPECT_NE(text_at(before, "/due_at"), text_at(after, "/due_at"));
  EXPECT_THAT(ok({"list", "--group", "g"}), HasSubstr("user 1:coupon/7"));
  EXPECT_EQ(ok({"list", "--group", "other"}), "none\n");
  EXPECT_EQ(text_at(ok({"cancel", "--json", "user 1:coupon/7"}), "/state"), "cancelled");
  EXPECT_EQ(text_at(ok({"get", "--json", "user 1:coupon/7"}), "/state"), "cancelled");
}

TEST_F(CliTest, ListGoesThroughEveryPage) {
  for (int i = 0; i < 5; ++i) add("t" + std::to_string(i), std::to_string(i + 1) + "h");
  EXPECT_THAT(ok({"list", "--limit", "2"}), AllOf(HasSubstr("t1"), Not(HasSubstr("t2"))));
  EXPECT_THAT(ok({"list", "--limit", "2", "--all"}), AllOf(HasSubstr("t0"), HasSubstr("t4")));
}

TEST_F(CliTest, CancellingSeveralSaysOfEachAndFailsIfOneDoes) {
  add("a");
  add("b");
  const Finished finished = cli({"cancel", "a", "b", "missing"});
  EXPECT_EQ(finished.ending.code, 1);
  EXPECT_THAT(finished.output, AllOf(HasSubstr("200"), HasSubstr("404"), HasSubstr("missing")));
}

TEST_F(CliTest, GroupIsCountedShiftedAndCancelled) {
  add("a");
  add("b");
  EXPECT_EQ(number_at(ok({"--json", "group", "show", "g"}), "/counts/scheduled"), 2);
  EXPECT_EQ(number_at(ok({"--json", "group", "shift", "g", "--by=-10m"}), "/shifted"), 2);
  EXPECT_EQ(number_at(ok({"--json", "group", "cancel", "g"}), "/cancelled"), 2);
  EXPECT_EQ(number_at(ok({"--json", "group", "show", "g"}), "/counts/scheduled"), 0);
}

TEST_F(CliTest, TargetIsMadeShownPausedResumedAndDeleted) {
  ok({"target", "put", "hook", "--url", receiver->url(), "--concurrency", "7", "--max-attempts",
      "3", "--timeout", "2s"});
  const std::string shown = ok({"--json", "target", "show", "hook"});
  EXPECT_EQ(number_at(shown, "/concurrency"), 7);
  EXPECT_EQ(number_at(shown, "/retry/max_attempts"), 3);
  EXPECT_THAT(ok({"target", "list"}), AllOf(HasSubstr("hook"), HasSubstr(receiver->url())));
  ok({"target", "pause", "hook"});
  ok({"add", "--id", "held", "--delay", "1s", "--target", "hook"});
  ok({"clock", "advance", "1m"});
  EXPECT_EQ(receiver->summary().received, 0U);
  EXPECT_THAT(ok({"explain", "held"}), HasSubstr("target_paused"));
  ok({"target", "resume", "hook"});
  EXPECT_TRUE(receiver->wait_for_accepted(1, kPatience));
  wait_until_idle(server);
  // What is not named stays.
  ok({"target", "put", "hook", "--concurrency", "5", "--rate", "300"});
  const std::string changed = ok({"--json", "target", "show", "hook"});
  EXPECT_EQ(number_at(changed, "/concurrency"), 5);
  EXPECT_EQ(number_at(changed, "/rate/limit"), 300);
  EXPECT_EQ(number_at(changed, "/retry/max_attempts"), 3);
  EXPECT_EQ(text_at(changed, "/url"), receiver->url());
  EXPECT_EQ(cli({"target", "put", "nobody", "--concurrency", "5"}).ending.code, 2);
  ok({"target", "delete", "hook"});
  EXPECT_EQ(cli({"target", "show", "hook"}).ending.code, 1);
}

TEST_F(CliTest, TargetSettingsComeFromAFileToo) {
  ok({"target", "put", "hook", "--file", "-"}, "{\"url\":\"" + receiver->url() + "\"}");
  EXPECT_EQ(text_at(ok({"--json", "target", "show", "hook"}), "/url"), receiver->url());
}

TEST_F(CliTest, DeadLettersAreListedShownRedrivenDeletedAndPurged) {
  receiver->set_failing({.share = 1, .attempts = 0, .status = 410});
  for (const auto* id : {"a", "b", "c", "d"}) add(id, "1s");
  ok({"clock", "advance", "1m"});
  wait_until_idle(server);
  EXPECT_EQ(stat(server, "/counts/dead"), 4);
  EXPECT_THAT(ok({"dead", "list"}), AllOf(HasSubstr("a"), HasSubstr("d"), HasSubstr("410")));
  EXPECT_EQ(text_at(ok({"--json", "dead", "show", "a"}), "/state"), "dead");
  ok({"dead", "delete", "a"});
  EXPECT_EQ(cli({"dead", "show", "a"}).ending.code, 1);

  receiver->set_failing({});
  ok({"dead", "redrive", "b"});
  EXPECT_TRUE(receiver->wait_for_accepted(1, kPatience));
  EXPECT_EQ(cli({"dead", "redrive"}).ending.code, 2) << "all of them only when asked for";
  EXPECT_EQ(number_at(ok({"--json", "dead", "redrive", "--group", "g"}), "/redriven"), 2);
  EXPECT_TRUE(receiver->wait_for_accepted(3, kPatience));
  wait_until_idle(server);
  EXPECT_EQ(number_at(ok({"--json", "dead", "purge", "--all"}), "/purged"), 0);
}

TEST_F(CliTest, StatsWheelAndForecastCountTheTask) {
  add("a");
  EXPECT_EQ(number_at(ok({"--json", "stats"}), "/counts/scheduled"), 1);
  EXPECT_THAT(ok({"stats"}), HasSubstr("counts.scheduled"));
  EXPECT_THAT(ok({"wheel"}), HasSubstr("SLOT_WIDTH"));
  EXPECT_EQ(number_at(ok({"--json", "forecast", "--bucket", "10m"}), "/buckets/0/tasks"), 1);
  EXPECT_THAT(ok({"forecast"}), HasSubstr("TASKS"));
}

TEST_F(CliTest, HealthChecksNeedNoTokenAndFailWithoutAServer) {
  EXPECT_THAT(ok({"ready"}), HasSubstr("ready"));
  EXPECT_EQ(cli({"ready", "--alive"}).ending.code, 0);
  server.kill();
  EXPECT_EQ(cli({"ready"}).ending.code, 3);
  EXPECT_EQ(cli({"ready", "--alive"}).ending.code, 3);
}

TEST_F(CliTest, ExportOfOneServerIsImportedByAnother) {
  for (int i = 0; i < 25; ++i) add("t" + std::to_string(i));
  const std::string file = dir / "tasks.ndjson";
  ok({"export", "--output", file});
  EXPECT_EQ(ok({"export"}), read_whole_file(file));
  EXPECT_FALSE(std::filesystem::exists(file + ".part"));

  Carillond other(dir / "other", {"--clock", "manual"});
  ASSERT_TRUE(other.start());
  EXPECT_EQ(ok({"--server", other.url(), "import", file, "--batch", "10"}),
            "imported 25 tasks, 0 refused\n");
  EXPECT_EQ(ok({"--server", other.url(), "import", "-"}, read_whole_file(file)),
            "imported 25 tasks, 0 refused\n")
      << "the same again changes nothing";
  EXPECT_EQ(stat(other, "/counts/scheduled"), 25);
}

TEST_F(CliTest, ImportNamesTheLinesThatWereRefused) {
  const std::string good = R"({"id":"a","delay":"1h","target":")" + receiver->url() + "\"}\n";
  const Finished finished = cli({"import", "-"}, good + "\n{\"id\":\"b\"}\nnonsense\n");
  EXPECT_EQ(finished.ending.code, 1);
  EXPECT_EQ(finished.output, "imported 1 tasks, 2 refused\n");
  EXPECT_THAT(finished.errors, AllOf(HasSubstr("line 3: "), HasSubstr("line 4: ")));
}

TEST_F(CliTest, CheckpointIsADataDirectoryThatOpens) {
  add("a");
  ok({"checkpoint", dir / "copy"});
  Carillond restored(dir / "copy");
  ASSERT_TRUE(restored.start());
  EXPECT_EQ(stat(restored, "/counts/scheduled"), 1);
}

TEST_F(CliTest, ClockMovesOnlyWhereItIsManual) {
  add("a", "30d");
  ok({"clock", "advance", "30d"});
  EXPECT_TRUE(receiver->wait_for_accepted(1, kPatience));
  Carillond real(dir / "real");
  ASSERT_TRUE(real.start());
  EXPECT_EQ(cli({"--server", real.url(), "clock", "advance", "1s"}).ending.code, 1);
}

TEST_F(CliTest, TimesHaveTheFormsOfTheApi) {
  const std::string target = receiver->url();
  int n = 0;
  for (const auto* delay : {"90000", "90s", "1m30s", "PT90S", "9e4"}) {
    const std::string id = "t" + std::to_string(n++);
    ok({"add", "--id", id, "--delay", delay, "--target", target});
    EXPECT_EQ(text_at(ok({"--json", "get", id}), "/due_at"),
              text_at(ok({"--json", "get", "t0"}), "/due_at"))
        << delay;
  }
  const std::chrono::nanoseconds in_a_day =
      (std::chrono::system_clock::now() + std::chrono::days(1)).time_since_epoch();
  const auto millis = std::chrono::duration_cast<Millis>(in_a_day);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(in_a_day);
  ok({"move", "t0", "--due-at", std::to_string(millis.count())});
  EXPECT_EQ(cli({"move", "t0", "--due-at", std::to_string(seconds.count())}).ending.code, 1);
  ok({"clock", "advance", "1000"});
}

TEST_F(CliTest, OutputThatCannotBeWrittenIsAnError) {
  add("a");
  const std::string cli = program("carillon") + " --server " + server.url() + " ";
  for (const std::string& command :
       {cli + "export", cli + "--json list", cli + "stats", cli + "--help",
        program("carillon-replay") + " --help", program("carillon-load") + " --help"}) {
    const Finished finished = run_program({"/bin/sh", "-c", command + " > /dev/full"});
    EXPECT_NE(finished.ending.code, 0) << command;
    EXPECT_THAT(finished.errors, HasSubstr("cannot write standard output")) << command;
  }
  const Finished file = this->cli({"export", "--output", dir / "missing/file"});
  EXPECT_EQ(file.ending.code, 2);
  EXPECT_THAT(file.errors, HasSubstr("cannot write"));
}

TEST_F(CliTest, InputThatCannotBeReadIsAnError) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"import", dir.path().string()},
           {"import", dir / "missing"},
           {"add", "--delay", "1s", "--target", "t", "--payload-file", dir.path().string()},
       }) {
    const Finished finished = cli(arguments);
    EXPECT_EQ(finished.ending.code, 2) << arguments[0];
    EXPECT_THAT(finished.errors, HasSubstr("cannot read")) << arguments[0];
  }
}

TEST_F(CliTest, ImportTakesAByteOrderMark) {
  const std::string line = R"({"delay":"1h","target":")" + receiver->url() + "\"}\n";
  EXPECT_EQ(ok({"import", "-"}, "\xef\xbb\xbf" + line + "\xef\xbb\xbf" + line),
            "imported 2 tasks, 0 refused\n");
}

TEST_F(CliTest, WhatIsNoCarillonServerExitsThree) {
  for (const std::string& answer :
       {http_answer(200, "text/html", "<html>\x1b[31m</html>"), http_answer(502, "text/html", "x"),
        http_answer(200, "application/json", "{\"a\":"), std::string("nonsense\r\n\r\n")}) {
    RawServer other(answer);
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
             {"stats"}, {"--json", "list"}, {"export"}, {"import", "-"}}) {
      std::vector<std::string> arguments = {"--server", other.url()};
      arguments.insert(arguments.end(), command.begin(), command.end());
      const Finished finished = cli(arguments, "{\"delay\":1}\n");
      EXPECT_EQ(finished.ending.code, 3) << command[0] << answer << finished.errors;
      EXPECT_THAT(finished.output, IsEmpty()) << command[0];
      EXPECT_THAT(finished.errors, Not(HasSubstr("\x1b"))) << command[0];
    }
  }
}

TEST_F(CliTest, ImportNeedsAResultForEachTask) {
  RawServer other(http_answer(200, "application/json", R"({"results":[]})"));
  const Finished finished = cli({"--server", other.url(), "import", "-"}, "{}\n");
  EXPECT_EQ(finished.ending.code, 3) << finished.output;
}

TEST_F(CliTest, TextOfAServerCannotDriveTheTerminal) {
  RawServer other(http_answer(
      400, "application/problem+json",
      R"({"title":"\u001b]0;x\u0007","status":400,"detail":"\u202egood","field":"\u009b"})"));
  const Finished finished = cli({"--server", other.url(), "get", "a"});
  EXPECT_EQ(finished.ending.code, 1);
  EXPECT_EQ(finished.errors, "carillon: 400 \\x1b]0;x\\x07: \\u202egood (\\x9b)\n");
}

TEST_F(CliTest, ATypoIsAnsweredWithWhatWasMeant) {
  const Finished option = cli({"add", "--dely", "5s", "--target", "t"});
  EXPECT_EQ(option.ending.code, 2);
  EXPECT_THAT(option.errors, HasSubstr("--dely is unknown; did you mean --delay?"));
  const Finished command = cli({"lst"});
  EXPECT_EQ(command.ending.code, 2);
  EXPECT_THAT(command.errors, HasSubstr("lst is unknown; did you mean list?"));
}

TEST_F(CliTest, AnEmptyValueIsAMistake) {
  const Finished finished = cli({"list", "--group", ""});
  EXPECT_EQ(finished.ending.code, 2);
  EXPECT_THAT(finished.errors, HasSubstr("--group: the value is empty"));
  EXPECT_EQ(cli({"cancel", ""}).ending.code, 2);
}

TEST_F(CliTest, RefusalPrintsTheProblemAndExitsOne) {
  const Finished human = cli({"get", "missing"});
  EXPECT_EQ(human.ending.code, 1);
  EXPECT_THAT(human.output, IsEmpty());
  EXPECT_THAT(human.errors, StartsWith("carillon: 404 "));
  const Finished json = cli({"--json", "get", "missing"});
  EXPECT_EQ(json.ending.code, 1);
  EXPECT_EQ(number_at(json.output, "/status"), 404);
}

TEST_F(CliTest, NoServerExitsThree) {
  server.kill();
  const Finished finished = cli({"stats"});
  EXPECT_EQ(finished.ending.code, 3);
  EXPECT_THAT(finished.errors, HasSubstr("connect to 127.0.0.1"));
}

TEST_F(CliTest, NonsenseExitsTwo) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {},
           {"nonsense"},
           {"add", "--target", "t"},
           {"add", "--target", "t", "--delay", "1s", "--due-at", "2030-01-01T00:00:00Z"},
           {"add", "--target", "t", "--delay", "1s", "--header", "no colon"},
           {"--server", "ftp://x", "stats"},
           {"--token-file", "/nonexistent", "stats"},
           {"target", "put", "x"},
       }) {
    EXPECT_EQ(cli(arguments).ending.code, 2) << (arguments.empty() ? "" : arguments[0]);
  }
}

TEST_F(CliTest, CompletionKnowsTheCommands) {
  const std::string script = ok({"completion", "bash"});
  const Finished finished = run_program(
      {"/bin/bash", "-c",
       script +
           "\nCOMP_WORDS=(carillon target pu); COMP_CWORD=2; _carillon; echo ${COMPREPLY[@]}"
           "\nCOMP_WORDS=(carillon add --del); COMP_CWORD=2; _carillon; echo ${COMPREPLY[@]}"});
  EXPECT_EQ(finished.output, "put\n--delay\n") << finished.errors;
  EXPECT_THAT(ok({"completion", "zsh"}), HasSubstr("bashcompinit"));
}

TEST_F(CliTest, UnixSocketServesTheSame) {
  Carillond local(dir / "local", {"--listen", "unix:" + (dir / "socket")});
  ASSERT_TRUE(local.start());
  EXPECT_EQ(number_at(ok({"--server", "unix:" + (dir / "socket"), "--json", "stats"}),
                      "/counts/scheduled"),
            0);
}

TEST_F(CliTest, LoadToolReportsABurst) {
  Carillond real(dir / "real");
  ASSERT_TRUE(real.start());
  const Finished burst = run_program({program("carillon-load"), "burst", "--server", real.url(),
                                      "--count", "500", "--in", "500ms", "--json"});
  EXPECT_EQ(burst.ending.code, 0) << burst.errors;
  EXPECT_EQ(number_at(burst.output, "/receiver/accepted"), 500);
  EXPECT_EQ(number_at(burst.output, "/receiver/early"), 0);
}

TEST_F(CliTest, LoadToolAddsCancelsAndMixes) {
  const auto load = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), program("carillon-load"));
    arguments.insert(arguments.end(), {"--server", server.url(), "--json"});
    const Finished finished = run_program(std::move(arguments));
    EXPECT_EQ(finished.ending.code, 0) << finished.errors << finished.output;
    return finished.output;
  };
  const std::string target = receiver->url();
  EXPECT_EQ(number_at(load({"add", "--count", "200", "--target", target}), "/tasks"), 200);
  const std::string batches = load({"batch", "--count", "500", "--batch", "100", "--first", "200",
                                    "--ndjson", "--target", target});
  EXPECT_EQ(number_at(batches, "/tasks"), 500);
  EXPECT_EQ(number_at(batches, "/requests"), 5);
  EXPECT_EQ(number_at(load({"cancel", "--count", "50"}), "/tasks"), 50);
  EXPECT_EQ(
      number_at(load({"cancel", "--first", "50", "--count", "650", "--batch", "100"}), "/tasks"),
      650);
  EXPECT_EQ(stat(server, "/counts/scheduled"), 0);
  EXPECT_EQ(number_at(load({"mix", "--count", "300", "--ids", "mix-{}", "--target", target}),
                      "/requests"),
            300);
}

TEST(LoadTool, ReceiverPrintsItsFiguresWhenInterrupted) {
  Process receiver({program("carillon-load"), "receive", "--json"});
  ASSERT_TRUE(receiver.wait_for_line("receiving on http://127\\.0\\.0\\.1:\\d+/"));
  receiver.signal(SIGINT);
  ASSERT_EQ(receiver.wait(), (Ending{0, 0}));
  EXPECT_EQ(number_at(receiver.output(), "/received"), 0);
}

}  // namespace
}  // namespace carillon::test
