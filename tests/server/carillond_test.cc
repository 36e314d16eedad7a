// The real program: how it starts, refuses to, follows signals, and ends.
#include <csignal>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/http_client.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kProgram[] = CARILLOND;

class Carillond : public testing::Test {
 protected:
  std::vector<std::string> command(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words{kProgram, "--listen", "127.0.0.1:0", "--data-dir",
                                   dir_ / "data"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  /// Waits until it serves; where.
  static std::string url_of(Process& server) {
    const auto listening = server.wait_for_line(R"(listening on (\S+))");
    EXPECT_TRUE(listening) << server.errors();
    EXPECT_TRUE(server.wait_for_line(" ready took=")) << server.errors();
    return listening ? listening->at(1) : "";
  }

  TempDir dir_;
};

/// A key and a certificate for localhost whose subject is `name`.
void make_certificate(const TempDir& dir, const std::string& name) {
  const Finished made =
      run_program({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                   "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=" + name,
                   "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                   dir / "key.pem", "-out", dir / "certificate.pem"});
  ASSERT_EQ(made.ending, (Ending{.code = 0})) << made.errors;
}

TEST_F(Carillond, ServesUntilSigtermAndEndsWithZero) {
  Process server(command());
  HttpClient client(url_of(server));
  EXPECT_EQ(client.get("/healthz").status, 200);
  EXPECT_EQ(client.get("/readyz").status, 200);
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), (Ending{.code = 0})) << server.errors();
  EXPECT_THAT(server.errors(), AllOf(HasSubstr("stopping signal=SIGTERM"), HasSubstr(" stopped ")));
}

TEST_F(Carillond, SigintIsTheSame) {
  Process server(command());
  url_of(server);
  server.signal(SIGINT);
  EXPECT_EQ(server.wait(), (Ending{.code = 0}));
}

/// Accepts connections, by the kernel's doing, and never answers.
class SilentReceiver {
 public:
  SilentReceiver() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_, 10), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
  }
  ~SilentReceiver() { ::close(socket_); }
  SilentReceiver(const SilentReceiver&) = delete;
  SilentReceiver& operator=(const SilentReceiver&) = delete;
  [[nodiscard]] const std::string& url() const { return url_; }
  /// Answers the push that has come with 200.
  void answer() const {
    const int push = ::accept(socket_, nullptr, nullptr);
    char request[4096];
    EXPECT_GT(::recv(push, request, sizeof request, 0), 0);
    constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    EXPECT_EQ(::send(push, kAnswer.data(), kAnswer.size(), 0), ssize_t{kAnswer.size()});
    ::close(push);
  }

 private:
  int socket_;
  std::string url_;
};

/// Adds a task that is due and waits until its push has begun.
void begin_push(HttpClient& client, const SilentReceiver& receiver) {
  const std::string task = R"({"id":"a","delay":0,"target":")" + receiver.url() + "\"}";
  ASSERT_EQ(client.post("/v1/tasks", task).status, 201);
  while (client.get("/v1/tasks/a").body.find("\"firing\"") == std::string::npos) {
  }
}

TEST_F(Carillond, PushUnderWayHoldsUpTheStopAndASecondSignalDoesNotWait) {
  const SilentReceiver receiver;
  Process server(command());
  HttpClient client(url_of(server));
  begin_push(client, receiver);
  server.signal(SIGTERM);
  ASSERT_TRUE(server.wait_for_line("stopping signal=SIGTERM"));
  EXPECT_FALSE(server.wait(std::chrono::milliseconds(500))) << "it dropped the push";
  server.signal(SIGTERM);
  const std::optional<Ending> ending = server.wait();
  ASSERT_TRUE(ending);
  EXPECT_EQ(ending->signal, SIGTERM);
}

TEST_F(Carillond, PushUnderWayIsFinishedBeforeTheEnd) {
  const SilentReceiver receiver;
  {
    Process server(command());
    HttpClient client(url_of(server));
    begin_push(client, receiver);
    server.signal(SIGTERM);
    ASSERT_TRUE(server.wait_for_line("stopping signal=SIGTERM"));
    receiver.answer();
    EXPECT_EQ(server.wait(), (Ending{.code = 0})) << server.errors();
  }
  Process again(command());
  HttpClient client(url_of(again));
  EXPECT_THAT(client.get("/v1/tasks/a").body,
              AllOf(HasSubstr(R"("state":"delivered")"), HasSubstr(R"("attempt":1)")));
}

TEST_F(Carillond, ShutdownTimeoutCutsOffWhatIsUnderWay) {
  const std::string file = dir_ / "a.toml";
  write_file(file, "shutdown_timeout = '10ms'\n");
  const SilentReceiver receiver;
  Process server(command({"--config", file}));
  HttpClient client(url_of(server));
  begin_push(client, receiver);
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), (Ending{.code = 0})) << server.errors();
}

TEST_F(Carillond, DrainGraceTakesRequestsWhileItSaysDraining) {
  const std::string file = dir_ / "a.toml";
  write_file(file, "drain_grace = '1h'\n");
  Process server(command({"--config", file}));
  const std::string url = url_of(server);
  HttpClient client(url);
  ASSERT_EQ(client.get("/readyz").status, 200);
  server.signal(SIGTERM);
  ASSERT_TRUE(server.wait_for_line("stopping signal=SIGTERM drain_grace=1h"));
  EXPECT_FALSE(server.wait(std::chrono::milliseconds(100)));
  const HttpAnswer ready = client.get("/readyz");
  EXPECT_EQ(ready.status, 503);
  EXPECT_THAT(ready.body, HasSubstr("draining"));
  EXPECT_THAT(client.get("/metrics").body, HasSubstr("carillon_ready 0"));
  const std::string task = R"({"id":"late","delay":"1d","target":"http://127.0.0.1:9/"})";
  HttpClient another(url);
  const HttpAnswer added = another.post("/v1/tasks", task);
  EXPECT_EQ(added.status, 201);
  EXPECT_TRUE(added.keep_alive);

  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), (Ending{.code = 0})) << server.errors();
}

TEST_F(Carillond, FileInTheWayOfTheSocketIsNamedAndLeftAlone) {
  const std::string path = dir_ / "file";
  write_file(path, "mine");
  const Finished finished =
      run_program({kProgram, "--listen", "unix:" + path, "--data-dir", dir_ / "data"});
  EXPECT_EQ(finished.ending, (Ending{.code = 1}));
  EXPECT_THAT(finished.errors, AllOf(HasSubstr(path), HasSubstr("a regular file")));
  EXPECT_EQ(read_whole_file(path), "mine");
}

TEST_F(Carillond, SocketOfAKilledServerIsTakenOver) {
  const std::string where = "unix:" + (dir_ / "socket");
  {
    Process server(command({"--listen", where}));
    url_of(server);
    server.signal(SIGKILL);
    ASSERT_TRUE(server.wait());
  }
  ASSERT_TRUE(std::filesystem::is_socket(dir_ / "socket"));
  Process again(command({"--listen", where}));
  url_of(again);
  EXPECT_EQ(HttpClient(where).get("/healthz").status, 200);
}

TEST_F(Carillond, SocketHasTheModeThatIsSet) {
  const std::string file = dir_ / "a.toml";
  write_file(file, "listen_mode = '0666'\n");
  Process server(command({"--config", file, "--listen", "unix:" + (dir_ / "socket")}));
  url_of(server);
  struct stat status{};
  ASSERT_EQ(::stat((dir_ / "socket").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0666U);
}

TEST_F(Carillond, ProbesAreServedPlainBesideTls) {
  make_certificate(dir_, "server");
  const std::string file = dir_ / "a.toml";
  write_file(file, "probe_listen = '127.0.0.1:0'\n[tls]\ncertificate_file = '" +
                       (dir_ / "certificate.pem") + "'\nprivate_key_file = '" + (dir_ / "key.pem") +
                       "'\nclient_ca_file = '" + (dir_ / "certificate.pem") + "'\n");
  Process server(command({"--config", file}));
  EXPECT_TRUE(url_of(server).starts_with("https://"));
  const auto probes = server.wait_for_line(R"(listening for probes on (\S+))");
  ASSERT_TRUE(probes);
  HttpClient client(probes->at(1));
  for (const char* path : {"/healthz", "/readyz", "/metrics"})
    EXPECT_EQ(client.get(path).status, 200) << path;
  EXPECT_EQ(client.get("/v1/stats").status, 404);
}

TEST_F(Carillond, KeepsItsDataFromOthers) {
  Process server(command({"--listen", "unix:" + (dir_ / "socket")}));
  url_of(server);
  for (const char* name : {"data", "socket"}) {
    struct stat status{};
    ASSERT_EQ(::stat((dir_ / name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 077U, 0U) << name;
  }
}

TEST_F(Carillond, SaysOneLineForEachAddress) {
  Process server(command({"--listen", "127.0.0.1:0", "--listen", "unix:" + (dir_ / "socket")}));
  url_of(server);
  const std::string log = server.errors();
  int lines = 0;
  for (std::size_t at = 0; (at = log.find("listening on ", at)) != log.npos; ++at) ++lines;
  EXPECT_EQ(lines, 3) << log;
  EXPECT_THAT(log, HasSubstr("listening on unix:" + (dir_ / "socket")));
}

TEST_F(Carillond, BadConfigurationEndsItWithOneAndNamesTheLine) {
  const std::string file = dir_ / "a.toml";
  write_file(file, "\ndata_dri = 'x'\n");
  for (const char* check : {"", "--check-config"}) {
    std::vector<std::string> words{kProgram, "--config", file};
    if (*check != '\0') words.emplace_back(check);
    const Finished finished = run_program(words);
    EXPECT_EQ(finished.ending, (Ending{.code = 1}));
    EXPECT_THAT(finished.errors, HasSubstr(file + ":2:1: unknown key \"data_dri\""));
  }
}

TEST_F(Carillond, GoodConfigurationIsCheckedWithoutStarting) {
  const std::string file = dir_ / "a.toml";
  write_file(file, "data_dir = '" + (dir_ / "data") + "'\nhorizon = '2d'\n");
  const Finished finished = run_program({kProgram, "--config", file, "--check-config"});
  EXPECT_EQ(finished.ending, (Ending{.code = 0})) << finished.errors;
  EXPECT_FALSE(std::filesystem::exists(dir_ / "data"));
}

TEST_F(Carillond, UsageEndsItWithTwo) {
  EXPECT_EQ(run_program({kProgram, "--no-such-flag"}).ending, (Ending{.code = 2}));
  EXPECT_EQ(run_program({kProgram, "word"}).ending, (Ending{.code = 2}));
  const Finished version = run_program({kProgram, "--version"});
  EXPECT_EQ(version.ending, (Ending{.code = 0}));
  EXPECT_THAT(version.output, HasSubstr("carillond "));
}

TEST_F(Carillond, AddressInUseEndsItWithOne) {
  Process server(command());
  const std::string url = url_of(server);
  const Finished second =
      run_program({kProgram, "--listen", url.substr(7), "--data-dir", dir_ / "other"});
  EXPECT_EQ(second.ending, (Ending{.code = 1}));
  EXPECT_THAT(second.errors, HasSubstr(url.substr(7)));
}

TEST_F(Carillond, DataDirectoryInUseEndsItWithOneAndLeavesTheFirstAlone) {
  Process server(command());
  HttpClient client(url_of(server));
  const Finished second = run_program(command());
  EXPECT_EQ(second.ending, (Ending{.code = 1}));
  EXPECT_THAT(second.errors, HasSubstr(dir_ / "data"));
  EXPECT_EQ(client.get("/readyz").status, 200);
}

TEST_F(Carillond, BeyondThisMachineWithoutATokenIsRefused) {
  const Finished finished =
      run_program({kProgram, "--listen", "0.0.0.0:0", "--data-dir", dir_ / "data"});
  EXPECT_EQ(finished.ending, (Ending{.code = 1}));
  EXPECT_THAT(finished.errors, HasSubstr("--insecure"));
}

TEST_F(Carillond, SighupTakesNewTokensAndTargetsAndKeepsTheOldOnABadFile) {
  const std::string file = dir_ / "a.toml";
  const auto token = [](const char* text) {
    return std::string("[[tokens]]\nname='a'\nrole='admin'\nfile='") + text + "'\n";
  };
  const std::string first = dir_ / "first";
  write_file(first, "first-token-of-32-bytes-abcdefgh");
  const std::string second = dir_ / "second";
  write_file(second, "second-token-of-32-bytes-abcdefg");
  write_file(file, token(first.c_str()));
  Process server(command({"--config", file}));
  HttpClient client(url_of(server));
  const HttpClient::Headers old_one{{"authorization", "Bearer first-token-of-32-bytes-abcdefgh"}};
  const HttpClient::Headers new_one{{"authorization", "Bearer second-token-of-32-bytes-abcdefg"}};
  EXPECT_EQ(client.get("/v1/stats", old_one).status, 200);
  EXPECT_EQ(client.get("/v1/stats", new_one).status, 401);

  write_file(file, token(second.c_str()) + "[targets.mail]\nurl='http://127.0.0.1:9/'\n");
  server.signal(SIGHUP);
  ASSERT_TRUE(server.wait_for_line("target set by the config file target=mail")) << server.errors();
  EXPECT_EQ(client.get("/v1/stats", old_one).status, 401);
  EXPECT_EQ(client.get("/v1/targets/mail", new_one).status, 200);

  write_file(file, "nonsense");
  server.signal(SIGHUP);
  ASSERT_TRUE(server.wait_for_line("the new configuration is refused")) << server.errors();
  EXPECT_EQ(client.get("/v1/stats", new_one).status, 200);

  write_file(file, "horizon = '2d'\n" + token(second.c_str()));
  server.signal(SIGHUP);
  EXPECT_TRUE(server.wait_for_line("takes a restart setting=horizon")) << server.errors();
  EXPECT_THAT(server.errors(), Not(HasSubstr("token-of-32-bytes"))) << "a secret was logged";
}

TEST_F(Carillond, TokensAreNotTakenAwayWhereOtherMachinesReachIt) {
  const std::string file = dir_ / "a.toml";
  write_file(dir_ / "token", "first-token-of-32-bytes-abcdefgh");
  const std::string token = "[[tokens]]\nname='a'\nrole='admin'\nfile='" + (dir_ / "token") + "'\n";
  write_file(file, "listen = '0.0.0.0:0'\n" + token);
  Process server({kProgram, "--config", file, "--data-dir", dir_ / "data"});
  const std::string url = url_of(server);
  // The new file would do for a start, but the address stays what it was.
  write_file(file, "listen = '127.0.0.1:0'\n");
  server.signal(SIGHUP);
  ASSERT_TRUE(server.wait_for_line("the new configuration is refused")) << server.errors();
  HttpClient client("http://127.0.0.1" + url.substr(url.rfind(':')));
  EXPECT_EQ(client.get("/v1/stats").status, 401);
}

TEST_F(Carillond, ATargetPausedOverTheApiStaysPausedOverARestart) {
  const std::string file = dir_ / "a.toml";
  write_file(file, "[targets.mail]\nurl='http://127.0.0.1:9/'\n");
  {
    Process server(command({"--config", file}));
    HttpClient client(url_of(server));
    ASSERT_TRUE(server.wait_for_line("target set by the config file"));
    EXPECT_EQ(client.post("/v1/targets/mail:pause", "").status, 200);
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait(), (Ending{.code = 0}));
  }
  Process server(command({"--config", file}));
  HttpClient client(url_of(server));
  EXPECT_THAT(client.get("/v1/targets/mail").body, HasSubstr("\"paused\":true"));
  EXPECT_THAT(server.errors(), Not(HasSubstr("target set by the config file")));
}

TEST_F(Carillond, FailedSyncIsNeverAcknowledgedAndEndsItWithThree) {
  if (!std::filesystem::exists("/usr/bin/strace")) GTEST_SKIP() << "needs strace";
  std::string url;
  {
    Process server(command());
    url = url_of(server);
    Process tracer({"/usr/bin/strace", "-f", "-p", std::to_string(server.pid()), "-e",
                    "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO"});
    ASSERT_TRUE(tracer.wait_for_line("attached")) << tracer.errors();
    HttpClient client(url);
    const HttpAnswer answer =
        client.post("/v1/tasks", R"({"id":"a","delay":"1h","target":"http://127.0.0.1:9/"})");
    EXPECT_NE(answer.status / 100, 2);
    EXPECT_EQ(server.wait(), (Ending{.code = 3})) << server.errors();
    EXPECT_THAT(server.errors(), HasSubstr("critical storage failed"));
  }
  Process again(command());
  HttpClient client(url_of(again));
  EXPECT_EQ(client.get("/readyz").status, 200) << "a restart recovers";
}

TEST_F(Carillond, DataDirectoryDeletedUnderItIsNoticedWithinASecondAndEndsItWithThree) {
  Process server(command());
  HttpClient client(url_of(server));
  const std::string task = R"({"delay":"1h","target":"http://127.0.0.1:9/"})";
  ASSERT_EQ(client.post("/v1/tasks", task).status, 201);
  std::filesystem::remove_all(dir_ / "data");
  ASSERT_TRUE(server.wait_for_line("critical storage failed.* was deleted or replaced",
                                   std::chrono::seconds(5)))
      << server.errors();
  for (const HttpAnswer& answer : {client.post("/v1/tasks", task), client.get("/readyz")}) {
    EXPECT_THAT(answer.status, testing::AnyOf(503, 0)) << "0: it has ended already";
  }
  EXPECT_EQ(server.wait(), (Ending{.code = 3})) << server.errors();
}

TEST_F(Carillond, LockFilesDeletedUnderItLetNoSecondServerInAndEndItWithThree) {
  Process server(command());
  url_of(server);
  std::filesystem::remove(dir_ / "data/LOCK");
  std::filesystem::remove(dir_ / "data/db/LOCK");
  const Finished second =
      run_program(command({"--log-format", "json"}), {}, {}, std::chrono::seconds(30));
  EXPECT_EQ(second.ending, (Ending{.code = 1})) << second.errors;
  EXPECT_EQ(server.wait(), (Ending{.code = 3})) << server.errors();
}

TEST_F(Carillond, CheckpointsOnlyWhereACopyCanLie) {
  Process server(command());
  HttpClient client(url_of(server));
  const auto checkpoint = [&](const std::string& json_dir) {
    return client.post("/v1/admin/checkpoint", R"({"dir":")" + json_dir + "\"}");
  };
  for (const std::string& bad :
       {dir_ / "data", dir_ / "data/copy", dir_ / "x/../data", dir_.path().string(),
        dir_ / "copy\\u0000more", std::string("relative")}) {
    const HttpAnswer answer = checkpoint(bad);
    EXPECT_EQ(answer.status, 400) << bad << answer.body;
    EXPECT_THAT(answer.body, AllOf(HasSubstr("bad_value"), HasSubstr(R"("field":"dir")"))) << bad;
  }
  EXPECT_EQ(checkpoint(dir_ / "copy").status, 200);
  EXPECT_EQ(checkpoint(dir_ / "copy").status, 409) << "it exists";
}

TEST_F(Carillond, SignalsThatMeanNothingToItEndNothing) {
  Process server(command());
  // From the very start on; SIGHUP means something only once it serves.
  ASSERT_TRUE(server.wait_for_line("carillond starts")) << server.errors();
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE, SIGXFSZ}) {
    server.signal(signal);
  }
  HttpClient client(url_of(server));
  for (const int signal : {SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE, SIGXFSZ, SIGHUP}) {
    server.signal(signal);
  }
  ASSERT_TRUE(server.wait_for_line("configuration reloaded")) << server.errors();
  EXPECT_EQ(client.get("/readyz").status, 200);
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), (Ending{.code = 0})) << server.errors();
}

TEST_F(Carillond, AFileAtItsLimitIsAFailedWriteAndEndsItWithThree) {
  std::vector<std::string> words{"/usr/bin/prlimit", "--fsize=6000000:6000000"};
  for (const std::string& word : command()) words.push_back(word);
  Process server(words);
  HttpClient client(url_of(server));
  const std::string task = R"({"delay":"1h","target":"http://127.0.0.1:9/","payload":")" +
                           std::string(900'000, 'x') + "\"}";
  int status = 201;
  for (int i = 0; i < 20 && status == 201; ++i) status = client.post("/v1/tasks", task).status;
  EXPECT_NE(status / 100, 2) << "more was acknowledged than the files may hold";
  EXPECT_EQ(server.wait(), (Ending{.code = 3})) << server.errors();
  EXPECT_THAT(server.errors(), HasSubstr("critical storage failed"));
}

TEST_F(Carillond, ClosedStandardStreamsDoNotLendTheirNumbersToFilesOrSockets) {
  const std::string port_file = dir_ / "socket";
  std::vector<std::string> words{"/bin/sh", "-c", R"(exec "$@" <&- >&- 2>&-)", "sh"};
  for (const std::string& word : command({"--listen", "unix:" + port_file})) words.push_back(word);
  Process server(words);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!std::filesystem::exists(port_file) && std::chrono::steady_clock::now() < deadline) {
    ASSERT_FALSE(server.wait(std::chrono::milliseconds(5))) << "it ended";
  }
  for (const char* stream : {"0", "1", "2"}) {
    const auto link = "/proc/" + std::to_string(server.pid()) + "/fd/" + stream;
    EXPECT_EQ(std::filesystem::read_symlink(link), "/dev/null") << stream;
  }
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), (Ending{.code = 0}));
}

/// The subject of the certificate that is shown at `url`.
std::string subject_at(const std::string& url) {
  std::string said =
      run_program({"/usr/bin/openssl", "s_client", "-connect", url.substr(8)}).output;
  // "CN = before" to OpenSSL 3.0, "CN=before" to later ones.
  std::erase(said, ' ');
  const std::size_t begin = std::min(said.find("subject="), said.size());
  return said.substr(begin, said.find('\n', begin) - begin);
}

TEST_F(Carillond, TakesARenewedCertificateByItself) {
  make_certificate(dir_, "before");
  const std::string file = dir_ / "a.toml";
  write_file(file, "[tls]\ncertificate_file = '" + (dir_ / "certificate.pem") +
                       "'\nprivate_key_file = '" + (dir_ / "key.pem") + "'\n");
  Process server(command({"--config", file}));
  const std::string url = url_of(server);
  EXPECT_THAT(subject_at(url), HasSubstr("CN=before"));
  make_certificate(dir_, "after");
  EXPECT_THAT(subject_at(url), HasSubstr("CN=after"));
  // Half of a renewal.
  write_file(dir_ / "key.pem", "nonsense");
  EXPECT_THAT(subject_at(url), HasSubstr("CN=after"));
  EXPECT_TRUE(server.wait_for_line("the new TLS files are refused")) << server.errors();
  make_certificate(dir_, "last");
  EXPECT_THAT(subject_at(url), HasSubstr("CN=last"));
}

TEST_F(Carillond, SighupTakesARenewedCertificate) {
  make_certificate(dir_, "before");
  const std::string file = dir_ / "a.toml";
  write_file(file, "[tls]\ncertificate_file = '" + (dir_ / "certificate.pem") +
                       "'\nprivate_key_file = '" + (dir_ / "key.pem") + "'\n");
  Process server(command({"--config", file}));
  const std::string url = url_of(server);
  ASSERT_TRUE(url.starts_with("https://")) << url;
  EXPECT_THAT(subject_at(url), HasSubstr("CN=before"));

  make_certificate(dir_, "after");
  server.signal(SIGHUP);
  ASSERT_TRUE(server.wait_for_line("configuration reloaded"));
  EXPECT_THAT(subject_at(url), HasSubstr("CN=after"));

  write_file(dir_ / "certificate.pem", "nonsense");
  server.signal(SIGHUP);
  ASSERT_TRUE(server.wait_for_line("the new configuration is refused"));
  EXPECT_THAT(subject_at(url), HasSubstr("CN=after"));
}

TEST_F(Carillond, JsonLogIsOneObjectALine) {
  Process server(command({"--log-format", "json"}));
  ASSERT_TRUE(server.wait_for_line(R"("message":"ready","took":)")) << server.errors();
  server.signal(SIGTERM);
  ASSERT_TRUE(server.wait());
  std::istringstream lines(server.errors());
  for (std::string line; std::getline(lines, line);) {
    EXPECT_TRUE(line.starts_with("{\"time\":\"") && line.ends_with("}")) << line;
  }
}

TEST_F(Carillond, MetricsShowTheEngineAndTheHttpServer) {
  Process server(command());
  HttpClient client(url_of(server));
  const HttpAnswer answer = client.get("/metrics");
  EXPECT_EQ(answer.status, 200);
  for (const char* metric :
       {"carillon_build_info{version=", "carillon_ready 1", "carillon_tasks{state=\"scheduled\"} 0",
        "carillon_lateness_seconds_bucket{le=\"0.0001\"} 0", "carillon_http_answers_total",
        "process_resident_memory_bytes", "carillon_disk_bytes"}) {
    EXPECT_THAT(answer.body, HasSubstr(metric));
  }
}

TEST_F(Carillond, TargetsBeyondFiveHundredShareOneSeries) {
  Process server(command());
  HttpClient client(url_of(server));
  const auto put = [&](const std::string& name) {
    return client.request("PUT", "/v1/targets/" + name, R"({"url":"http://127.0.0.1:9/"})").status;
  };
  for (int i = 0; i <= 500; ++i) ASSERT_EQ(put("t" + std::to_string(1000 + i)), 201);
  ASSERT_EQ(put("other"), 201);
  for (const char* target : {"t1500", "t1499", "t1000", "other"}) {
    const std::string task = R"({"delay":"1h","target":")" + std::string(target) + "\"}";
    ASSERT_EQ(client.post("/v1/tasks", task).status, 201);
  }
  std::istringstream lines(client.get("/metrics").body);
  int series = 0;
  std::string seen;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("carillon_target_tasks{")) continue;
    ++series;
    if (!line.ends_with(" 0")) seen += line.substr(22) + "\n";
  }
  EXPECT_EQ(series, 500);
  // The one that is named so is among the others.
  EXPECT_EQ(seen, "target=\"t1000\"} 1\ntarget=\"other\"} 3\n");
}

TEST_F(Carillond, EveryMetricIsDocumented) {
  Process server(command());
  HttpClient client(url_of(server));
  client.request("PUT", "/v1/targets/mail", R"({"url":"http://127.0.0.1:9/"})");
  const std::string document = read_whole_file(CARILLON_SOURCE_DIR "/docs/operations.md");
  std::istringstream lines(client.get("/metrics").body);
  int metrics = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("# TYPE ")) continue;
    const std::string name = line.substr(7, line.find(' ', 7) - 7);
    EXPECT_THAT(document, HasSubstr("`" + name)) << "docs/operations.md does not say what it means";
    ++metrics;
  }
  EXPECT_GT(metrics, 25);
}

}  // namespace
}  // namespace carillon::test
