#include "base/log.h"

#include <array>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace carillon {
namespace {

/// Standard error is a pipe, until its end.
class ErrorPipe {
 public:
  ErrorPipe() : before_(::dup(STDERR_FILENO)) {
    EXPECT_EQ(::pipe(ends_.data()), 0);
    EXPECT_EQ(::dup2(ends_[1], STDERR_FILENO), STDERR_FILENO);
  }
  ~ErrorPipe() {
    ::dup2(before_, STDERR_FILENO);
    for (const int fd : {before_, ends_[0], ends_[1]}) ::close(fd);
  }
  ErrorPipe(const ErrorPipe&) = delete;
  ErrorPipe& operator=(const ErrorPipe&) = delete;

  void fill() const {
    ASSERT_EQ(::fcntl(ends_[1], F_SETFL, O_NONBLOCK), 0);
    while (::write(ends_[1], "-", 1) == 1) {
    }
    ASSERT_EQ(::fcntl(ends_[1], F_SETFL, 0), 0);
  }
  [[nodiscard]] std::string read() const {
    std::array<char, 8192> buffer{};
    const ssize_t got = ::read(ends_[0], buffer.data(), buffer.size());
    return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  }

 private:
  int before_;
  std::array<int, 2> ends_{};
};

TEST(LastWords, AreWritten) {
  const ErrorPipe pipe;
  write_last_words("this is the end\n");
  EXPECT_EQ(pipe.read(), "this is the end\n");
}

TEST(LastWords, DoNotWaitForAReaderThatHasStopped) {
  const ErrorPipe pipe;
  pipe.fill();
  write_last_words("nobody reads this\n");  // would never come back
}

TEST(LastWords, ThatAreLongAreCutToWhatAPipeTakesAtOnce) {
  const ErrorPipe pipe;
  write_last_words(std::string(100'000, 'x'));
  EXPECT_EQ(pipe.read(), std::string(4096, 'x'));
}

class Recorder final : public LogSink {
 public:
  void write(LogLevel level, std::string_view message, LogFields fields) override {
    lines.push_back(format_human_line(WallTime{}, level, message, fields));
  }
  std::vector<std::string> lines;
};

TEST(Log, HandsTheSinkWhatIsAtLeastOfTheLevel) {
  Recorder sink;
  set_log_sink(&sink);
  set_log_level(LogLevel::warning);
  log_info("not this", {{"n", 1}});
  log_error("but this", {{"n", 2}, {"why", "a reason"}});
  set_log_level(LogLevel::info);
  set_log_sink(nullptr);
  ASSERT_EQ(sink.lines.size(), 1U);
  EXPECT_EQ(sink.lines[0], "1970-01-01T00:00:00.000Z error but this n=2 why=\"a reason\"\n");
}

}  // namespace
}  // namespace carillon
