// What a running server takes up on SIGHUP, and what it does not.
#include <csignal>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>

#include "tests/net/certificate.h"
#include "tests/support/http_client.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

using testing::HasSubstr;

class Reloaded : public testing::Test {
 protected:
  /// Starts a server whose config file is `text`.
  void start(const std::string& text, const std::vector<std::string>& more = {}) {
    write_file(file_, text);
    std::vector<std::string> words{CARILLOND,  "--listen", "127.0.0.1:0", "--data-dir",
                                   dir_ / "d", "--config", file_};
    words.insert(words.end(), more.begin(), more.end());
    server_.emplace(words);
    const auto listening = server_->wait_for_line(R"x(listening on ([^\s"]+))x");
    ASSERT_TRUE(listening) << server_->errors();
    ASSERT_TRUE(server_->wait_for_line("[ \"]ready[ \"]")) << server_->errors();
    url_ = listening->at(1);
    client_.emplace(url_);
  }
  void reload(const std::string& text) {
    const std::string_view done = "configuration reloaded";
    const int before = logged(done);
    write_file(file_, text);
    server_->signal(SIGHUP);
    wait_until_logged(done, before + 1);
    client_.emplace(url_);  // some refusals close the connection
  }
  [[nodiscard]] int logged(std::string_view text) const {
    const std::string all = server_->errors();
    int times = 0;
    for (std::size_t at = 0; (at = all.find(text, at)) != std::string::npos; ++at) ++times;
    return times;
  }
  void wait_until_logged(std::string_view text, int times) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (logged(text) < times) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << server_->errors();
      EXPECT_EQ(HttpClient(url_).get("/healthz").status, 200);
    }
  }
  [[nodiscard]] int add(const std::string& target) {
    return client_->post("/v1/tasks", R"({"delay":"1h","target":")" + target + "\"}").status;
  }

  TempDir dir_;
  const std::string file_ = dir_ / "a.toml";
  std::string url_;
  std::optional<Process> server_;
  std::optional<HttpClient> client_;
};

TEST_F(Reloaded, EgressRulesHoldForTheNextAddAndTarget) {
  start("");
  EXPECT_EQ(add("http://127.0.0.1:9/"), 201);
  EXPECT_EQ(add("http://hooks.example/"), 201);
  EXPECT_EQ(add(url_ + "/v1/tasks"), 422) << "the server itself";
  reload("[egress]\nprivate = false\ndeny = ['hooks.example']\n");
  EXPECT_EQ(add("http://127.0.0.1:9/"), 422);
  EXPECT_EQ(add("http://hooks.example/"), 422);
  EXPECT_EQ(add("http://other.example/"), 201);
  const HttpAnswer denied =
      client_->request("PUT", "/v1/targets/t", R"({"url":"http://hooks.example/"})");
  EXPECT_EQ(denied.status, 422);
  EXPECT_THAT(denied.body, HasSubstr("egress.deny has hooks.example"));
  reload("[egress]\ndefault = 'deny'\nallow = ['hooks.example']\n");
  EXPECT_EQ(add("http://hooks.example/"), 201);
  EXPECT_EQ(add("http://other.example/"), 422);
  reload("");
  EXPECT_EQ(add("http://other.example/"), 201);
  EXPECT_EQ(add(url_ + "/v1/tasks"), 422) << "the server itself";
  EXPECT_EQ(add("http://169.254.169.254/"), 422);
}

TEST_F(Reloaded, LimitsHoldForTheNextRequest) {
  start("");
  const std::string task = R"({"delay":"1h","target":"http://127.0.0.1:9/","payload":)";
  const std::string long_body = task + '"' + std::string(2000, 'x') + "\"}";
  const std::string deep = task + "[[[[[]]]]]}";
  const std::string two = "[" + task + "1}," + task + "2}]";
  const std::string long_uri = "/v1/tasks?group=" + std::string(600, 'g');
  HttpClient::Headers many;
  for (int i = 0; i < 12; ++i) many.emplace_back("x-" + std::to_string(i), "1");
  EXPECT_EQ(client_->post("/v1/tasks", long_body).status, 201);
  EXPECT_EQ(client_->post("/v1/tasks", deep).status, 201);
  EXPECT_EQ(client_->post("/v1/tasks:batchCreate", two).status, 200);
  EXPECT_EQ(client_->get("/v1/stats", many).status, 200);
  const auto limits = [](const std::string& line) { return "[limits]\n" + line + "\n"; };
  reload(limits("body_bytes_max = '1KiB'"));
  EXPECT_EQ(client_->post("/v1/tasks", long_body).status, 413);
  reload(limits("json_depth_max = 4"));
  EXPECT_EQ(client_->post("/v1/tasks", long_body).status, 201);
  EXPECT_EQ(client_->post("/v1/tasks", deep).status, 400);
  reload(limits("batch_tasks_max = 1"));
  EXPECT_EQ(client_->post("/v1/tasks:batchCreate", two).status, 413);
  reload(limits("header_fields_max = 10"));
  EXPECT_EQ(client_->get("/v1/stats", many).status, 431);
  reload(limits("uri_bytes_max = 512"));
  EXPECT_EQ(client_->get("/v1/stats", many).status, 200);
  EXPECT_EQ(client_->get(long_uri).status, 414);
}

TEST_F(Reloaded, LogLevelChangesAndWhatTakesARestartIsSaid) {
  start("[log]\nlevel = 'info'\n");
  reload("horizon = '2d'\n[url_defaults]\ntimeout = '3s'\n");
  EXPECT_TRUE(server_->wait_for_line("takes a restart setting=horizon"));
  EXPECT_TRUE(server_->wait_for_line("takes a restart setting=url_defaults"));
  EXPECT_EQ(client_->post("/v1/tasks", R"({"delay":"3d","target":"http://127.0.0.1:9/"})").status,
            201);
}

TEST_F(Reloaded, AFlagStillBeatsTheFile) {
  start("[log]\nformat = 'human'\n", {"--log-format", "json"});
  write_file(file_, "[log]\nformat = 'human'\nlevel = 'info'\n");
  server_->signal(SIGHUP);
  EXPECT_TRUE(server_->wait_for_line(R"("message":"configuration reloaded")"));
}

TEST_F(Reloaded, ATargetOfTheFileWinsOverTheApiAndPausesIfItSaysSo) {
  start("[targets.mail]\nurl = 'http://127.0.0.1:9/'\n");
  ASSERT_TRUE(server_->wait_for_line("target set by the config file target=mail"));
  EXPECT_EQ(client_->request("PATCH", "/v1/targets/mail", R"({"concurrency":5})").status, 200);
  reload("[targets.mail]\nurl = 'http://127.0.0.1:9/'\npaused = true\n");
  wait_until_logged("target set by the config file target=mail", 2);
  const std::string body = client_->get("/v1/targets/mail").body;
  EXPECT_THAT(body, HasSubstr("\"concurrency\":64"));
  EXPECT_THAT(body, HasSubstr("\"paused\":true"));
}

TEST_F(Reloaded, WhatTheFileSetsIsInTheAudit) {
  start("[targets.mail]\nurl = 'http://127.0.0.1:9/'\n[lanes.bulk]\nweight = 2\n");
  ASSERT_TRUE(server_->wait_for_line("target set by the config file target=mail"));
  reload("[targets.mail]\nurl = 'http://127.0.0.1:9/'\n[lanes.bulk]\nweight = 3\n");
  wait_until_logged("lane set by the config file lane=bulk", 2);
  // The newest first. What was as the file says is not set again.
  const std::string body = client_->get("/v1/audit").body;
  const auto entry = [](const std::string& action, const std::string& of) {
    return R"("who":"the config file","action":")" + action + R"(","of":")" + of + '"';
  };
  const std::string lane = entry("PUT /v1/lanes/{name}", "bulk");
  const std::size_t again = body.find(lane);
  ASSERT_NE(again, std::string::npos) << body;
  const std::size_t target = body.find(entry("PUT /v1/targets/{name}", "mail"), again);
  EXPECT_NE(target, std::string::npos) << body;
  EXPECT_NE(body.find(lane, target), std::string::npos) << body;
}

TEST_F(Reloaded, AStoredTargetWhoseFilesAreGoneIsSaidAtTheStart) {
  const CertificateFiles ca = make_certificate(dir_, "ca");
  start("");
  const std::string target = R"({"url":"https://a/","tls":{"ca_file":")" + ca.certificate + "\"}}";
  ASSERT_EQ(client_->request("PUT", "/v1/targets/t", target).status, 201);
  server_->signal(SIGTERM);
  ASSERT_TRUE(server_->wait());
  std::filesystem::remove(ca.certificate);
  start("");
  EXPECT_TRUE(server_->wait_for_line("a target names a file that cannot be used target=t why="));
  EXPECT_EQ(client_->get("/v1/targets/t").status, 200);
}

TEST_F(Reloaded, TlsFilesThatCannotBeUsedKeepTheOldConfiguration) {
  start("");
  write_file(file_, "[targets.a]\nurl = 'https://a/'\ntls = { ca_file = '/nonexistent/ca.pem' }\n");
  server_->signal(SIGHUP);
  ASSERT_TRUE(server_->wait_for_line("the new configuration is refused"));
  EXPECT_THAT(server_->errors(), HasSubstr("ca_file /nonexistent/ca.pem cannot be used"));
  const Ending checked = run_program({CARILLOND, "--check-config", "--config", file_}).ending;
  EXPECT_EQ(checked.code, 1);
}

}  // namespace
}  // namespace carillon::test
