// What carillon shows live, on a terminal of the test's own and without one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::chrono::seconds kPatience(30);

/// A program whose terminal this is.
class Terminal {
 public:
  Terminal(const std::string& url, unsigned short columns, unsigned short rows) {
    const winsize size{rows, columns, 0, 0};
    process_ = ::forkpty(&end_, nullptr, nullptr, &size);
    if (process_ != 0) return;
    ::setenv("CARILLON_SERVER", url.c_str(), 1);
    const std::string path = program("carillon");
    ::execl(path.c_str(), path.c_str(), "top", nullptr);
    ::_exit(127);
  }
  ~Terminal() {
    if (process_ > 0) {
      ::kill(process_, SIGKILL);
      ::waitpid(process_, nullptr, 0);
    }
    ::close(end_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// What it has written since the last call, until that has `text`, or it has ended.
  std::string until(std::string_view text) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    std::string seen;
    while (seen.find(text) == std::string::npos && std::chrono::steady_clock::now() < give_up) {
      pollfd output{end_, POLLIN, 0};
      if (::poll(&output, 1, 100) <= 0) continue;
      char some[4096];
      const ssize_t count = ::read(end_, some, sizeof some);
      if (count <= 0) break;
      seen.append(some, static_cast<std::size_t>(count));
    }
    return seen;
  }
  void resize(unsigned short columns, unsigned short rows) const {
    const winsize size{rows, columns, 0, 0};
    ::ioctl(end_, TIOCSWINSZ, &size);
  }
  void press(char key) const { ASSERT_EQ(::write(end_, &key, 1), 1); }
  void signal(int signal) const { ::kill(process_, signal); }
  [[nodiscard]] bool shows_keys() const {
    termios now{};
    ::tcgetattr(end_, &now);
    return (now.c_lflag & ECHO) != 0;
  }
  /// Its exit code.
  int wait() {
    until("\x1b[?1049l");
    int status = -1;
    ::waitpid(process_, &status, 0);
    process_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  int end_ = -1;
  pid_t process_ = -1;
};

class Live : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(server_.start()); }
  Finished cli(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), program("carillon"));
    return run_program(std::move(arguments), {{"CARILLON_SERVER", server_.url()}});
  }
  void add(const std::string& id, const std::string& delay, const std::string& target) {
    EXPECT_EQ(cli({"add", "--id", id, "--delay", delay, "--target", target}).ending,
              (Ending{0, 0}));
  }

  TempDir dir_;
  std::unique_ptr<load::Receiver> receiver_ = start_receiver();
  Carillond server_{dir_ / "data"};
};

TEST_F(Live, TopIsPrintedOnceWhereThereIsNoTerminal) {
  add("a", "1h", receiver_->url());
  const Finished finished = cli({"top"});
  EXPECT_EQ(finished.ending, (Ending{0, 0})) << finished.errors;
  EXPECT_THAT(finished.output,
              AllOf(HasSubstr("pending 1 "), HasSubstr("LANE"), Not(HasSubstr("\x1b"))));
  EXPECT_THAT(cli({"top", "--json"}).output, HasSubstr("{\"version\""));
}

TEST_F(Live, TopIsDrawnAgainUntilQIsPressed) {
  Terminal terminal(server_.url(), 60, 20);
  EXPECT_THAT(terminal.until("pending 0"), HasSubstr("\x1b[?1049h"));
  EXPECT_FALSE(terminal.shows_keys());
  add("a", "1h", receiver_->url());
  EXPECT_THAT(terminal.until("pending 1"), HasSubstr("pending 1"));
  terminal.resize(12, 2);
  // No wider than the terminal.
  const std::string version = text_at(cli({"top", "--json"}).output, "/version");
  const std::string title = ("carillon " + version).substr(0, 12) + "\x1b";
  EXPECT_THAT(terminal.until(title), HasSubstr(title));
  terminal.press('x');
  terminal.press('q');
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_TRUE(terminal.shows_keys());
}

TEST_F(Live, TopLeavesTheTerminalAsItWasWhenItIsInterrupted) {
  Terminal terminal(server_.url(), 80, 24);
  terminal.until("pending 0");
  terminal.signal(SIGTERM);
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_TRUE(terminal.shows_keys());
}

TEST_F(Live, TopSaysThatTheServerIsGone) {
  Terminal terminal(server_.url(), 80, 24);
  terminal.until("pending 0");
  server_.kill();
  EXPECT_THAT(terminal.until("carillon: "), HasSubstr("carillon: "));
  terminal.press('q');
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_EQ(cli({"top"}).ending.code, 3);
}

TEST_F(Live, WatchFollowsATaskUntilItIsOver) {
  add("soon", "1s", receiver_->url());
  const Finished finished = cli({"watch", "soon"});
  EXPECT_EQ(finished.ending, (Ending{0, 0})) << finished.errors;
  EXPECT_THAT(finished.output,
              AllOf(HasSubstr("scheduled   due_at "), HasSubstr("\ndelivered   ")));
  EXPECT_EQ(cli({"watch", "nothing"}).ending.code, 1);
}

}  // namespace
}  // namespace carillon::test
