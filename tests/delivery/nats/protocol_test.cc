// NATS' protocol: what is said is taken apart, and which is refused; what answers mean.

#include "delivery/nats/protocol.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/delivery/nats/operator.h"

namespace carillon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = NatsMessage::Kind;

/// What was said, in short, and "broken" where it could not be understood.
std::vector<std::string> read_all(std::string_view bytes, std::size_t piece_bytes) {
  NatsReader reader;
  std::vector<std::string> all;
  while (!bytes.empty()) {
    reader.feed(bytes.substr(0, piece_bytes));
    bytes.remove_prefix(std::min(bytes.size(), piece_bytes));
    for (auto said = reader.next();; said = reader.next()) {
      if (!said) return all.emplace_back("broken"), all;
      if (!*said) break;
      all.push_back(std::to_string(static_cast<int>((*said)->kind)) + " " +
                    std::string((*said)->subject) + " " + std::to_string((*said)->status) + " " +
                    std::string((*said)->text));
    }
  }
  return all;
}

TEST(NatsProtocol, WhatIsSaidIsTakenApartWhateverPiecesItComesIn) {
  const std::string_view bytes =
      "INFO {\"a\":1} \r\nPING\r\nPONG\r\n+OK\r\n-ERR 'no way'\r\n"
      "MSG in.1 1 5\r\na\r\nbc\r\nMSG in.2 1 other 0\r\n\r\n"
      "HMSG in.3 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"
      "HMSG in.4 1 other 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\nPING\r\n";
  for (const std::size_t piece : {1, 2, 7, 10'000}) {
    EXPECT_THAT(read_all(bytes, piece), ElementsAre("0  0 {\"a\":1}", "2  0 ", "3  0 ", "4  0 ",
                                                    "5  0 no way", "1 in.1 0 a\r\nbc", "1 in.2 0 ",
                                                    "1 in.3 503 ", "1 in.4 0 hi", "2  0 "));
  }
}

TEST(NatsProtocol, WhatIsNoNatsIsSaid) {
  for (const std::string_view bytes :
       {"HTTP/1.1 400 Bad Request\r\n\r\n", "\r\n", "PING\n", "ping\r\n", "MSG\r\n", "MSG a 1\r\n",
        "MSG a 1 b 2 3\r\n", "MSG a 1 -1\r\n", "MSG a 1 x\r\n", "MSG a 1 99999999999999999999\r\n",
        "MSG a 1 70000\r\n", "MSG a 1 1\r\nabc", "HMSG a 1 5 4\r\nabcde", "HMSG a 1 4\r\nabcd\r\n",
        "HMSG a 1 4 4\r\nabcd\r\n", "HMSG a 1 16 16\r\nNATS/1.0 x03\r\n\r\n\r\n",
        "HMSG a 1 17 17\r\nNATS/1.0 5030\r\n\r\n\r\n"}) {
    EXPECT_THAT(read_all(bytes, 10'000), ElementsAre("broken")) << bytes;
  }
}

TEST(NatsProtocol, ALineThatDoesNotEndIsGivenUpBeforeItTakesMuchMemory) {
  for (const std::string_view begin : {"INFO ", "x", "-ERR "}) {
    NatsReader reader;
    reader.feed(begin);
    std::size_t taken = 0;
    for (auto said = reader.next(); said; said = reader.next()) {
      ASSERT_FALSE(*said) << begin;
      ASSERT_LT(taken, 100'000U) << begin;
      const std::string more(10'000, '1');
      reader.feed(more);
      taken += more.size();
    }
  }
}

PushResult answered(std::string_view text, std::uint32_t status = 0) {
  simdjson::dom::parser parser;
  return read_nats_answer(parser,
                          {.kind = Kind::message, .text = text, .subject = {}, .status = status});
}

TEST(NatsProtocol, OnlyAPlaceInAStreamIsADelivery) {
  using Result = PushResult::Kind;
  EXPECT_EQ(answered(R"({"stream":"orders","seq":12})").kind, Result::delivered);
  EXPECT_EQ(answered(R"({"stream":"orders","domain":"x","seq":12,"duplicate":true})").kind,
            Result::delivered)
      << "it is there, since an attempt before";
  for (const std::string_view text :
       {"", "hello", "[]", "7", "{}", R"({"stream":"orders"})", R"({"seq":12})",
        R"({"stream":"","seq":12})", R"({"stream":"orders","seq":0})",
        R"({"stream":"orders","seq":0,"duplicate":true})", R"({"stream":"orders","seq":-1})",
        R"({"stream":"orders","seq":"12"})", R"({"stream":7,"seq":12})",
        R"({"stream":"orders","seq":12)", "{\"stream\":\"\xff\",\"seq\":12}",
        R"({"error":{"code":400},"stream":"orders","seq":12})"}) {
    const PushResult result = answered(text);
    EXPECT_EQ(result.kind, Result::failed) << text;
    EXPECT_FALSE(result.not_now) << text;
    EXPECT_TRUE(result.may_be_seen) << text;
    EXPECT_FALSE(result.error.empty()) << text;
  }
  const PushResult nobody = answered("", 503);
  EXPECT_EQ(nobody.kind, Result::failed);
  EXPECT_EQ(nobody.status, 503U);
  EXPECT_FALSE(nobody.not_now);
  EXPECT_THAT(nobody.error, HasSubstr("no stream takes it"));
}

TEST(NatsProtocol, WhatHasNoRoomNowHasSaidNotNow) {
  for (const std::string_view error :
       {R"("code":503,"err_code":10077,"description":"maximum messages exceeded")",
        R"("code":500,"err_code":10047,"description":"storage resources exceeded")",
        R"("code":400,"err_code":10002,"description":"resource limits exceeded for account")"}) {
    const PushResult result = answered("{\"error\":{" + std::string(error) + "}}");
    EXPECT_EQ(result.not_now, NotNow::unavailable) << error;
    EXPECT_THAT(result.error, HasSubstr("exceeded")) << error;
  }
  const PushResult too_long = answered(
      R"({"error":{"code":400,"err_code":10054,"description":"message size exceeds maximum"}})");
  EXPECT_EQ(too_long.status, 400U);
  EXPECT_FALSE(too_long.not_now);
  EXPECT_THAT(too_long.error, HasSubstr("400 message size exceeds maximum"));
}

TEST(NatsProtocol, WhoWeAreIsOneLineWhateverIsInIt) {
  std::string out;
  append_nats_connect(out, {.username = "a\r\nPUB b", .password = "\"x\""});
  EXPECT_EQ(out.find("\r\n"), out.size() - 2);
  EXPECT_THAT(out, HasSubstr(R"("user":"a\r\nPUB b","pass":"\"x\"")"));
  out.clear();
  append_nats_connect(out, {.password = "word"});
  EXPECT_THAT(out, HasSubstr(R"("auth_token":"word")"));
  out.clear();
  append_nats_connect(out, {.jwt = "j.w.t", .signature = "sig"});
  EXPECT_THAT(out, HasSubstr(R"("jwt":"j.w.t","sig":"sig")"));
}

TEST(NatsProtocol, ANonceIsSignedByASeedOrNotAtAll) {
  const Result<std::string> made = sign_nats_nonce(nats_operator::kUserSeed, "nonce");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->size(), 86U);
  EXPECT_EQ(made->find_first_of("+/="), std::string::npos);
  EXPECT_FALSE(sign_nats_nonce("SUAB22", "nonce"));
  EXPECT_FALSE(sign_nats_nonce("", "nonce"));
}

}  // namespace
}  // namespace carillon
