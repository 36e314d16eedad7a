#include "delivery/answer.h"

#include <random>

#include <gtest/gtest.h>

namespace carillon {
namespace {

using Progress = AnswerReader::Progress;

struct Outcome {
  Progress progress = Progress::need_more;
  std::uint32_t status = 0;
  std::string retry_after;
  bool keep_alive = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// Feeds `bytes` in pieces, then the end, as a connection would.
template <typename NextPiece>
Outcome read_answer(std::string_view bytes, NextPiece next_piece) {
  AnswerReader reader;
  reader.reset();
  std::string in;
  Progress progress = Progress::need_more;
  while (progress == Progress::need_more && !bytes.empty()) {
    const std::size_t size = std::clamp<std::size_t>(next_piece(), 1, bytes.size());
    in.append(bytes.substr(0, size));
    bytes.remove_prefix(size);
    std::size_t consumed = 0;
    progress = reader.feed(in, consumed);
    EXPECT_LE(consumed, in.size());
    in.erase(0, consumed);
  }
  if (progress == Progress::need_more) progress = reader.feed_end();
  EXPECT_EQ(progress == Progress::broken, !reader.problem().empty());
  if (progress == Progress::broken) return {progress, 0, "", false};
  return {progress, reader.status(), reader.retry_after(),
          progress == Progress::complete && reader.keep_alive()};
}

const std::vector<std::string>& samples() {
  static const std::vector<std::string> all = {
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
      "HTTP/1.1 204 No Content\r\n\r\n",
      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\n\r\nuntil the end",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: "
      "1\r\n\r\nx",
      "HTTP/1.1 429 Slow Down\r\nTransfer-Encoding: chunked\r\nRetry-After: 120\r\n\r\n"
      "5;a=b\r\nhello\r\n3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: folded\r\n line\r\nContent-Length: 0\r\n\r\n"};
  return all;
}

TEST(Answer, HowItArrivesDoesNotChangeWhatItSays) {
  for (const std::string& sample : samples()) {
    const Outcome whole = read_answer(sample, [] { return std::size_t{1} << 20; });
    EXPECT_EQ(whole.progress, Progress::complete) << sample;
    EXPECT_EQ(read_answer(sample, [] { return std::size_t{1}; }), whole) << sample;
    EXPECT_EQ(read_answer(sample, [] { return std::size_t{7}; }), whole) << sample;
  }
}

TEST(Answer, EveryPrefixIsEitherIncompleteOrEndsAtTheEnd) {
  for (const std::string& sample : samples()) {
    for (std::size_t size = 1; size < sample.size(); ++size) {
      AnswerReader reader;
      reader.reset();
      std::size_t consumed = 0;
      EXPECT_EQ(reader.feed(std::string_view(sample).substr(0, size), consumed),
                Progress::need_more)
          << sample.substr(0, size);
    }
  }
}

TEST(Answer, DamagedBytesNeitherCrashNorDependOnTheirPieces) {
  std::mt19937 random(20261121);
  const auto pick = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
  };
  int broken = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = samples()[pick(samples().size())];
    for (std::size_t changes = 1 + pick(4); changes > 0; --changes) {
      const std::size_t at = pick(bytes.size());
      switch (pick(3)) {
        case 0:
          bytes[at] = static_cast<char>(pick(256));
          break;
        case 1:
          bytes.erase(at, 1 + pick(4));
          break;
        default:
          bytes.insert(at, std::string(1 + pick(3), "\r\n:;0 f\t"[pick(8)]));
      }
      if (bytes.empty()) bytes = "x";
    }
    const Outcome whole = read_answer(bytes, [] { return std::size_t{1} << 20; });
    const Outcome pieces = read_answer(bytes, [&] { return 1 + pick(9); });
    EXPECT_EQ(whole, pieces) << "round " << round << ": " << bytes;
    broken += whole.progress == Progress::broken ? 1 : 0;
  }
  EXPECT_GT(broken, 1000);
}

TEST(Answer, ABodyOverTheLimitKeepsItsStatus) {
  const std::string large(kAnswerBodyBytesMax + 1, 'x');
  const Outcome sized = read_answer(
      "HTTP/1.1 201 Made\r\nContent-Length: " + std::to_string(large.size()) + "\r\n\r\n" + large,
      [] { return std::size_t{1000}; });
  EXPECT_EQ(sized, (Outcome{Progress::too_long, 201, "", false}));
  EXPECT_EQ(read_answer("HTTP/1.1 201 Made\r\n\r\n" + large, [] { return std::size_t{1000}; }),
            sized);
}

}  // namespace
}  // namespace carillon
