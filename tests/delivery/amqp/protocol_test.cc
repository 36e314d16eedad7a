// Frames and methods of AMQP: what is taken apart into what, and what is refused.

#include "delivery/amqp/protocol.h"

#include <vector>

#include <gtest/gtest.h>

#include "tests/delivery/amqp/scripted_amqp.h"

namespace carillon {
namespace {

namespace says = amqp_broker;
using Kind = AmqpMethod::Kind;

AmqpMethod decoded(const std::string& whole_frame) {
  AmqpFrameReader reader;
  reader.feed(whole_frame);
  const auto frame = reader.next();
  EXPECT_TRUE(frame && *frame);
  AmqpDecoder decoder;
  const auto method = decoder.decode((*frame)->payload);
  EXPECT_TRUE(method) << method.error().detail;
  return *method;
}

TEST(AmqpProtocol, FramesAreTakenApartWhateverPiecesTheyComeIn) {
  const std::string all = says::heartbeat() + says::ack(7) + says::body("piece");
  for (std::size_t size = 1; size <= all.size(); ++size) {
    AmqpFrameReader reader;
    std::vector<std::string> got;
    for (std::size_t at = 0; at < all.size(); at += size) {
      reader.feed(all.substr(at, size));
      for (auto frame = reader.next(); frame && *frame; frame = reader.next()) {
        got.push_back(std::to_string(static_cast<int>((*frame)->type)) +
                      std::to_string((*frame)->channel) + std::string((*frame)->payload));
      }
    }
    EXPECT_EQ(got, (std::vector<std::string>{"80", "11" + says::ack(7).substr(7, 13), "31piece"}));
  }
}

TEST(AmqpProtocol, AFrameThatIsTooLongIsRefusedByItsHead) {
  AmqpFrameReader reader;
  reader.feed(says::frame(1, 0, std::string(16 * 1024, 'x')).substr(0, 7));
  EXPECT_FALSE(reader.next());
  AmqpFrameReader in;
  in.take_long_frames();
  in.feed(says::frame(1, 0, std::string(100'000, 'x')));
  EXPECT_TRUE(in.next());
  in.feed(std::string("\x03\0\x01\xff\xff\xff\xff", 7));
  EXPECT_FALSE(in.next());
}

TEST(AmqpProtocol, MethodsHaveTheFieldsThatMatter) {
  EXPECT_EQ(decoded(says::start("PLAIN X")).text, "PLAIN X");
  EXPECT_EQ(decoded(says::tune(4096)).frame_bytes_max, 4096U);
  const AmqpMethod ack = decoded(says::ack(1ULL << 40, true));
  EXPECT_EQ(ack.kind, Kind::ack);
  EXPECT_EQ(ack.tag, 1ULL << 40);
  EXPECT_TRUE(ack.multiple);
  EXPECT_FALSE(decoded(says::nack(3)).multiple);
  const AmqpMethod closed = decoded(says::channel_close(404, "NOT_FOUND"));
  EXPECT_EQ(closed.kind, Kind::channel_close);
  EXPECT_EQ(closed.code, 404);
  EXPECT_EQ(closed.text, "NOT_FOUND");
  EXPECT_EQ(decoded(says::blocked("low on memory")).text, "low on memory");
  EXPECT_EQ(decoded(says::returned()).code, 312);
  EXPECT_EQ(decoded(says::method(0, 10, 20, "secure")).kind, Kind::other);
}

TEST(AmqpProtocol, AStartWhoseTableNestsDeeplyIsPassedOver) {
  // Tables in tables, each of them longer than what is left: nobody looks into them.
  std::string nested;
  for (int i = 0; i < 2000; ++i) nested += std::string("\x01", 1) + "aF" + says::number(1 << 30, 4);
  const std::string start = says::method(0, 10, 10,
                                         says::number(9, 2) + says::long_text(nested) +
                                             says::long_text("PLAIN") + says::long_text(""));
  EXPECT_EQ(decoded(start).text, "PLAIN");
}

TEST(AmqpProtocol, AHeaderTellsTheMessagesIdAndTheLengthOfItsBody) {
  const std::string whole = says::header("msg_7", 1ULL << 33);
  const auto header = read_amqp_header(std::string_view(whole).substr(7, whole.size() - 8));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->message_id, "msg_7");
  EXPECT_EQ(header->body_bytes, 1ULL << 33);
  for (std::size_t size = 0; size + 8 < whole.size(); ++size) {
    EXPECT_FALSE(read_amqp_header(std::string_view(whole).substr(7, size))) << size;
  }
}

TEST(AmqpProtocol, ABodyIsCutIntoFramesThatTheBrokerTakes) {
  const auto settings =
      parse_target(R"({"kind":"amqp","url":"amqp://q","routing_key":"due","mandatory":false})");
  ASSERT_TRUE(settings);
  Push push;
  push.target = std::make_shared<const TargetSettings>(*settings);
  const std::string body(100'000, 'b');
  for (const std::size_t size : {0U, 1U, 32'760U, 32'761U, 100'000U}) {
    push.content.body = std::string_view(body).substr(0, size);
    std::string out;
    append_amqp_publish(out, push, kAmqpFrameBytesMin);
    AmqpFrameReader reader;
    reader.take_long_frames();
    reader.feed(out);
    std::string got;
    std::size_t bodies = 0;
    for (auto frame = reader.next(); frame && *frame; frame = reader.next()) {
      EXPECT_LE((*frame)->payload.size() + 8, kAmqpFrameBytesMin);
      if ((*frame)->type != AmqpFrame::Type::body) continue;
      ++bodies;
      got += (*frame)->payload;
    }
    EXPECT_EQ(got, push.content.body);
    EXPECT_EQ(bodies, (size + 32'759) / 32'760);
  }
}

}  // namespace
}  // namespace carillon
