#include "delivery/http/answer.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace carillon {
namespace {

using Progress = AnswerReader::Progress;

struct Outcome {
  Progress progress = Progress::need_more;
  std::uint32_t status = 0;
  bool decided = false;
  std::string retry_after;
  bool keep_alive = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// Feeds `bytes` in pieces, as a connection would.
template <typename NextPiece>
Outcome read_answer(std::string_view bytes, NextPiece next_piece) {
  AnswerReader reader;
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
  EXPECT_EQ(progress == Progress::broken, !reader.problem().empty());
  return {progress, reader.status(), reader.is_decided(), reader.retry_after(),
          progress == Progress::complete && reader.keep_alive()};
}
Outcome read_answer(std::string_view bytes) {
  return read_answer(bytes, [] { return std::size_t{1} << 20; });
}

const std::vector<std::string>& samples() {
  static const std::vector<std::string> all = {
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
      "HTTP/1.1 204 No Content\r\n\r\n",
      "HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: "
      "1\r\n\r\nx",
      "HTTP/1.1 429 Slow Down\r\nTransfer-Encoding: chunked\r\nRetry-After: 120\r\n\r\n"
      "5;a=b\r\nhello\r\n3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 302 Found\nLocation: /x\nContent-Length: 0\n\n"};
  return all;
}

TEST(Answer, HowItArrivesDoesNotChangeWhatItSays) {
  for (const std::string& sample : samples()) {
    const Outcome whole = read_answer(sample, [] { return std::size_t{1} << 20; });
    EXPECT_EQ(whole.progress, Progress::complete) << sample;
    EXPECT_TRUE(whole.keep_alive) << sample;
    EXPECT_EQ(read_answer(sample, [] { return std::size_t{1}; }), whole) << sample;
    EXPECT_EQ(read_answer(sample, [] { return std::size_t{7}; }), whole) << sample;
  }
}

TEST(Answer, EveryPrefixIsIncomplete) {
  for (const std::string& sample : samples()) {
    for (std::size_t size = 1; size < sample.size(); ++size) {
      AnswerReader reader;
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

TEST(Answer, AStatusLineIsReadAsOthersReadIt) {
  const std::pair<std::string_view, std::uint32_t> table[] = {{"HTTP/1.1 200 OK\r\n", 200},
                                                              {"HTTP/1.1 200\r\n", 200},
                                                              {"HTTP/1.1 200 \r\n", 200},
                                                              {"HTTP/1.1 200 OK\n", 200},
                                                              {"HTTP/1.1 200\n", 200},
                                                              {"HTTP/1.1  200 OK\r\n", 200},
                                                              {"\r\nHTTP/1.1 200 OK\r\n", 200},
                                                              {"HTTP/1.0 410 Gone\r\n", 410},
                                                              {"HTTP/1.1 999 Odd\r\n", 999},
                                                              {"HTTP/1.1 2000 OK\r\n", 0},
                                                              {"HTTP/1.1 20 OK\r\n", 0},
                                                              {"HTTP/1.1 2x0 OK\r\n", 0},
                                                              {"HTTP/1.1 099 Odd\r\n", 0},
                                                              {"HTTP/1.1\r\n", 0},
                                                              {"HTTP/2 200\r\n", 0},
                                                              {"http/1.1 200 OK\r\n", 0},
                                                              {"SSH-2.0-x\r\n", 0},
                                                              {"HTTP/1.1 200 OK", 0}};
  for (const auto& [line, status] : table) EXPECT_EQ(read_answer(line).status, status) << line;
}

TEST(Answer, SuccessAndGoneAreDecidedByTheStatusLineAllElseByTheHead) {
  for (const char* status : {"200", "204", "299", "410"}) {
    EXPECT_TRUE(read_answer(std::string("HTTP/1.1 ") + status + " X\r\n").decided) << status;
  }
  for (const char* status : {"199", "300", "409", "411", "429", "503", "600"}) {
    const std::string line = std::string("HTTP/1.1 ") + status + " X\r\n";
    EXPECT_FALSE(read_answer(line).decided) << status;
    EXPECT_FALSE(read_answer(line + "Retry-After: 3\r\n").decided) << status;
    const Outcome whole = read_answer(line + "Retry-After: 3\r\nContent-Length: 9\r\n\r\n");
    EXPECT_EQ(whole.decided, std::string_view(status) != "199") << status;
    EXPECT_EQ(whole.retry_after, whole.decided ? "3" : "");
  }
}

TEST(Answer, WhatEndsInDoubtIsReadButEndsItsConnection) {
  const std::string large(kAnswerBodyBytesMax + 1, 'x');
  for (const std::string& rest : {
           std::string("\r\n"),  // until the connection ends
           std::string("Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
           std::string("Content-Length: +5\r\n\r\nhello"),
           std::string("Content-Length: 5, 5\r\n\r\nhello"),
           std::string("Content-Length: 99999999999999999999999\r\n\r\n"),
           std::string("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
           std::string("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
           std::string("Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
           std::string("Transfer-Encoding: chunked\r\n\r\n0\n\n"),
           std::string("Transfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n"),
           std::string("Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
           std::string("Content-Length: 0\r\nno colon\r\n\r\n"),
           std::string("Content-Length: 0\r\nX: folded\r\n line\r\n\r\n"),
           std::string("Content-Length : 0\r\n\r\n"),
           std::string("Connection: upgrade, Close\r\nContent-Length: 0\r\n\r\n"),
           "X: " + std::string(kAnswerHeadBytesMax, 'x') + "\r\nContent-Length: 0\r\n\r\n",
           "Content-Length: " + std::to_string(large.size()) + "\r\n\r\n" + large,
           "Transfer-Encoding: chunked\r\n\r\n1;" + large + "\r\nx\r\n0\r\n\r\n",
       }) {
    const Outcome outcome = read_answer("HTTP/1.1 201 Made\r\n" + rest);
    EXPECT_EQ(outcome.status, 201U) << rest.substr(0, 60);
    EXPECT_TRUE(outcome.decided);
    EXPECT_FALSE(outcome.keep_alive) << rest.substr(0, 60);
  }
  EXPECT_FALSE(read_answer("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").keep_alive);
  EXPECT_EQ(read_answer("HTTP/1.1 200 " + large).status, 200U) << "a phrase without an end";
}

TEST(Answer, AnAnswerThatHasNoBodyButAnnouncesOneEndsItsConnection) {
  for (const char* status : {"204", "304"}) {
    const std::string line = std::string("HTTP/1.1 ") + status + " X\r\n";
    EXPECT_TRUE(read_answer(line + "\r\n").keep_alive);
    EXPECT_TRUE(read_answer(line + "Content-Length: 0\r\n\r\n").keep_alive);
    EXPECT_FALSE(read_answer(line + "Content-Length: 5\r\n\r\n").keep_alive);
    EXPECT_FALSE(read_answer(line + "Transfer-Encoding: chunked\r\n\r\n").keep_alive);
  }
}

TEST(Answer, HowLongAConnectionIsKeptIsHeard) {
  const auto idle = [](const std::string& header) {
    AnswerReader reader;
    std::size_t consumed = 0;
    EXPECT_EQ(
        reader.feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + header + "\r\n\r\n", consumed),
        Progress::complete);
    return reader.idle_timeout();
  };
  EXPECT_EQ(idle("Keep-Alive: timeout=5"), std::chrono::seconds(5));
  EXPECT_EQ(idle("keep-alive: max=100, Timeout=7"), std::chrono::seconds(7));
  EXPECT_EQ(idle("Keep-Alive: max=100"), std::nullopt);
  EXPECT_EQ(idle("Keep-Alive: timeout=soon"), std::nullopt);
}

TEST(AnswerBody, IsKeptUpToWhatIsWantedHoweverItsEndIsTold) {
  const struct {
    std::string_view answer, body;
    AnswerReader::Progress progress;
  } table[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc", Progress::complete},
      {"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef", "abcd", Progress::complete},
      {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc", "abc", Progress::need_more},
      {"HTTP/1.1 200 OK\r\n\r\nabcdef", "abcd", Progress::need_more},
      {"HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n", "abcd",
       Progress::need_more},
      {"HTTP/1.1 204 OK\r\n\r\n", "", Progress::complete},
  };
  for (const auto& row : table) {
    AnswerReader reader;
    reader.reset(4);
    std::size_t consumed = 0;
    EXPECT_EQ(reader.feed(row.answer, consumed), row.progress) << row.answer;
    EXPECT_EQ(reader.body(), row.body) << row.answer;
    EXPECT_TRUE(reader.is_decided()) << row.answer;
  }
}

}  // namespace
}  // namespace carillon
