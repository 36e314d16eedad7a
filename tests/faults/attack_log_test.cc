// Nobody reads the server's log any more: tasks go on firing on time, and SIGTERM still stops it.
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <termios.h>
#include <unistd.h>

#include "tests/end_to_end/scenarios.h"
#include "tests/faults/attack.h"
#include "tests/support/http_client.h"

namespace carillon::test {
namespace {

/// The log goes through a `cat`, a child of the server's, which the test can stop.
class AttackOnLog : public Attack {
 protected:
  AttackOnLog() : wrapper_{"/bin/bash", "-c", R"(exec "$@" 2> >(exec cat >&2))", "bash"} {}
  ~AttackOnLog() override {
    if (reader_ > 0) ::kill(reader_, SIGCONT);
  }
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(start({}, wrapper_));
    const std::string server_pid = std::to_string(server.process().pid());
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      std::ifstream status(entry.path() / "status");
      bool is_cat = false;
      for (std::string line; std::getline(status, line);) {
        if (line == "Name:\tcat") is_cat = true;
        if (is_cat && line == "PPid:\t" + server_pid) reader_ = std::stoi(entry.path().filename());
      }
    }
    ASSERT_GT(reader_, 0) << "who reads the log?";
  }
  /// From now on each write to the log waits.
  void fill_log_pipe() {
    const std::string path = "/proc/" + std::to_string(server.process().pid()) + "/fd/2";
    const int pipe = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    ASSERT_GE(pipe, 0);
    while (::write(pipe, "\n", 1) == 1) {
    }
    ::close(pipe);
  }
  /// Has the server log something again and again for as long as the attack goes on.
  void make_it_log() {
    const auto until = std::chrono::steady_clock::now() + length();
    while (std::chrono::steady_clock::now() < until) {
      server.process().signal(SIGHUP);  // "configuration reloaded"
      EXPECT_TRUE(server.call("GET", "/healthz").ok());
    }
  }
  void expect_that_it_stops() { EXPECT_EQ(server.stop(), 0); }

  const std::vector<std::string> wrapper_;
  int reader_ = 0;
};

TEST_F(AttackOnLog, WhoseReaderHasStoppedHoldsNothingUp) {
  beside("a log that nobody reads", [&] {
    ::kill(reader_, SIGSTOP);
    fill_log_pipe();
    make_it_log();
  });
  server.process().signal(SIGTERM);
  EXPECT_FALSE(server.process().wait_for_line("stopping signal", Millis(200)));
  // Its own end does not wait for the reader; only then does the test, to see all of the log.
  for (int i = 0; i < 3000 && std::filesystem::exists(
                                  "/proc/" + std::to_string(server.process().pid()) + "/fd/2");
       ++i) {
    std::this_thread::sleep_for(Millis(10));
  }
  ::kill(reader_, SIGCONT);
  EXPECT_EQ(server.process().wait(), (Ending{.code = 0}));
}

TEST_F(AttackOnLog, WhoseReaderIsGoneHoldsNothingUpAndItsLinesAreCounted) {
  beside("a log whose reader is gone", [&] {
    ::kill(reader_, SIGKILL);
    reader_ = 0;
    make_it_log();
  });
  EXPECT_GT(metric("carillon_log_lines_dropped_total"), 0);
  expect_that_it_stops();
}

TEST(AttackOnTerminal, ThatWasStoppedByCtrlSHoldsNothingUp) {
  const TempDir dir;
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(::grantpt(terminal), 0);
  ASSERT_EQ(::unlockpt(terminal), 0);
  const std::string name = ::ptsname(terminal);
  const int line = ::open(name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(line, 0);
  Process server({"/bin/bash", "-c", "exec \"$@\" 2> " + name, "bash", program("carillond"),
                  "--data-dir", dir / "data", "--listen", "unix:" + (dir / "socket")});
  std::string log;
  while (log.find("ready took=") == log.npos) {
    std::array<char, 4096> piece{};
    const ssize_t got = ::read(terminal, piece.data(), piece.size());
    ASSERT_GT(got, 0) << log;
    log.append(piece.data(), static_cast<std::size_t>(got));
  }
  ASSERT_EQ(::tcflow(line, TCOOFF), 0);
  HttpClient client("unix:" + (dir / "socket"));
  for (int i = 0; i < 20; ++i) {
    server.signal(SIGHUP);
    EXPECT_EQ(client.get("/readyz").status, 200);
  }
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), (Ending{.code = 0}));
  ::close(line);
  ::close(terminal);
}

}  // namespace
}  // namespace carillon::test
