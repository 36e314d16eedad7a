#include "server/log_writer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

namespace carillon {
namespace {

using testing::EndsWith;

constexpr std::size_t kBytesMax = 10'000;
constexpr Millis kPatience = std::chrono::seconds(20);

std::string dropped_line(std::uint64_t lines) {
  return "dropped " + std::to_string(lines) + "\n";
}

/// The sum of what its whole lines say.
std::uint64_t said_to_be_dropped(std::string_view text) {
  constexpr std::string_view kSaid = "dropped ";
  std::uint64_t sum = 0;
  for (std::size_t at = 0; (at = text.find(kSaid, at)) != text.npos;) {
    at += kSaid.size();
    const std::size_t end = text.find('\n', at);
    if (end == text.npos) break;
    sum += std::stoull(std::string(text.substr(at, end - at)));
  }
  return sum;
}

/// A pipe as standard error often is one.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0); }
  ~Pipe() {
    close_reader();
    ::close(ends_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  [[nodiscard]] int writer() const { return ends_[1]; }
  /// So that the next write waits.
  void fill() const {
    ASSERT_EQ(::fcntl(ends_[1], F_SETFL, O_NONBLOCK), 0);
    while (::write(ends_[1], "-", 1) == 1) {
    }
    ASSERT_EQ(::fcntl(ends_[1], F_SETFL, 0), 0);
  }
  void close_reader() {
    if (ends_[0] >= 0) ::close(std::exchange(ends_[0], -1));
  }
  /// Reads until `end` was read.
  std::string read_until(std::string_view end) {
    std::string text;
    while (text.find(end) == text.npos) {
      std::array<char, 4096> buffer{};
      const ssize_t got = ::read(ends_[0], buffer.data(), buffer.size());
      if (got <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

TEST(LogWriter, WritesLinesInOrder) {
  Pipe pipe;
  LogWriter writer(pipe.writer(), kBytesMax, dropped_line);
  writer.write("one\n");
  writer.write("two\n");
  EXPECT_EQ(pipe.read_until("two\n"), "one\ntwo\n");
  EXPECT_TRUE(writer.flush(kPatience));
  EXPECT_EQ(writer.dropped(), 0U);
}

TEST(LogWriter, WhoseReaderHasStoppedDropsWhatDoesNotFitAndSaysSoOnceThereIsRoom) {
  Pipe pipe;
  pipe.fill();
  LogWriter writer(pipe.writer(), kBytesMax, dropped_line);
  const std::string line(99, 'x');
  constexpr std::uint64_t kLines = 1'000;  // 100 KB: more than the queue holds twice
  for (std::uint64_t i = 0; i < kLines; ++i) writer.write(line + "\n");
  const std::uint64_t dropped = writer.dropped();
  EXPECT_GE(dropped, kLines - 2 * kBytesMax / 100);
  EXPECT_FALSE(writer.flush(Millis(1)));

  std::string text;
  while (said_to_be_dropped(text) < dropped) text += pipe.read_until("\n");
  ASSERT_TRUE(writer.flush(kPatience)) << "what is left fits the pipe";
  writer.write("there again\n");
  text += pipe.read_until("again\n");
  EXPECT_THAT(text, EndsWith("there again\n"));
  const auto written = static_cast<std::uint64_t>(std::ranges::count(text, 'x')) / line.size();
  EXPECT_EQ(written + dropped, kLines) << "each line is written or counted";
  EXPECT_EQ(writer.dropped(), dropped) << "nothing is dropped any more";
}

TEST(LogWriter, SaysHowManyAreMissingWhereTheyAreMissing) {
  Pipe pipe;
  pipe.fill();
  LogWriter writer(pipe.writer(), kBytesMax, dropped_line);
  int lines = 0;
  while (writer.dropped() == 0) writer.write("line " + std::to_string(lines++) + "\n");
  const std::string last = "line " + std::to_string(lines - 2) + "\n";
  EXPECT_THAT(pipe.read_until("dropped 1\n"), EndsWith(last + "dropped 1\n"));
}

TEST(LogWriter, WhoseReaderIsGoneCountsWhatCouldNotBeWritten) {
  std::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  pipe.close_reader();
  LogWriter writer(pipe.writer(), kBytesMax, dropped_line);
  writer.write("one\n");
  writer.write("two\n");
  EXPECT_TRUE(writer.flush(kPatience)) << "nobody waits for a reader that is gone";
  EXPECT_EQ(writer.dropped(), 2U);
}

TEST(LogWriter, OfAStreamThatSomebodyMadeNonBlockingWaitsForRoom) {
  Pipe pipe;
  ASSERT_EQ(::fcntl(pipe.writer(), F_SETFL, O_NONBLOCK), 0);
  LogWriter writer(pipe.writer(), std::size_t{1} << 20, dropped_line);
  const std::string line(999, 'x');
  for (int i = 0; i < 200; ++i) writer.write(line + "\n");
  writer.write("end\n");
  EXPECT_EQ(pipe.read_until("end\n").size(), 200'004U);
  EXPECT_EQ(writer.dropped(), 0U);
}

TEST(LogWriter, ThatIsHeldUpInAWriteLetsTheProcessEnd) {
  Pipe pipe;
  pipe.fill();
  LogWriter writer(pipe.writer(), kBytesMax, dropped_line);
  writer.write("nobody reads this\n");
  EXPECT_FALSE(writer.flush(Millis(10)));  // and its end waits for nobody
}

}  // namespace
}  // namespace carillon
