#include "cluster/wire.h"

#include <random>

#include <gtest/gtest.h>

#include "tests/cluster/filled.h"
#include "tests/support/sized.h"

namespace carillon {
namespace {

template <std::size_t kNumber = 0, typename Look>
void for_each_call(const Look& look) {
  if constexpr (kNumber < std::variant_size_v<shard_call::Any>) {
    look.template operator()<std::variant_alternative_t<kNumber, shard_call::Any>>();
    for_each_call<kNumber + 1>(look);
  }
}

template <typename Call>
std::string filled_call(std::uint64_t seed) {
  Filler fill(seed);
  Call call;
  fill(call);
  return encode_call(static_cast<ShardNumber>(fill.up_to(256)), call);
}
std::string encoded(const DecodedCall& decoded) {
  return std::visit([&](const auto& call) { return encode_call(decoded.shard, call); },
                    decoded.call);
}

template <typename Call>
std::string filled_answer(std::uint64_t seed) {
  Filler fill(seed);
  Answer<typename Call::Told> answer = Refusal();
  fill(answer);
  return encode_answer(answer);
}
/// The same again; nothing where it does not decode.
template <typename Call>
std::optional<std::string> recoded_answer(std::string bytes) {
  Answer<typename Call::Told> answer = Refusal();
  if (!decode_answer(std::make_shared<const std::string>(std::move(bytes)), answer))
    return std::nullopt;
  return encode_answer(answer);
}

TEST(Wire, EveryCallComesBackAsItWentOut) {
  for_each_call([]<typename Call>() {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      const std::string bytes = filled_call<Call>(seed);
      const auto decoded = decode_call(bytes);
      ASSERT_TRUE(decoded) << decoded.error().detail;
      EXPECT_TRUE(std::holds_alternative<Call>(decoded->call));
      EXPECT_EQ(encoded(*decoded), bytes);
    }
  });
}

TEST(Wire, EveryAnswerComesBackAsItWentOut) {
  for_each_call([]<typename Call>() {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      const std::string bytes = filled_answer<Call>(seed);
      EXPECT_EQ(recoded_answer<Call>(bytes), bytes);
    }
  });
}

TEST(Wire, ATaskThatWasReadOwnsItsBytes) {
  Filler fill(7);
  TaskView sent;
  fill(sent);
  sent.content.id = "order-17";
  sent.content.body = std::string_view("a\0b", 3);
  sent.content.headers = {{"x-one", "1"}};
  Answer<TaskView> read = Refusal();
  {
    auto bytes = std::make_shared<std::string>(encode_answer(Answer<TaskView>(sent)));
    ASSERT_TRUE(decode_answer(std::shared_ptr<const std::string>(bytes), read));
  }
  ASSERT_TRUE(read);
  ASSERT_NE(read->row, nullptr);
  EXPECT_EQ(read->content.id, "order-17");
  EXPECT_EQ(read->content.body, sent.content.body);
  EXPECT_EQ(read->content.headers, sent.content.headers);
  EXPECT_EQ(read->note, sent.note);
  EXPECT_EQ(read->due_at, sent.due_at);
  EXPECT_EQ(read->state, sent.state);
}

TEST(Wire, ARefusalKeepsSlugFieldAndStanding) {
  const Refusal sent{Error{"task_firing", "It is being pushed.", "id"},
                     Standing{State::firing, 3, WallTime(Millis(17))}};
  Answer<TaskView> read = TaskView();
  ASSERT_TRUE(decode_answer(
      std::make_shared<const std::string>(encode_answer(Answer<TaskView>(sent))), read));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().slug, "task_firing");
  EXPECT_EQ(read.error().detail, "It is being pushed.");
  EXPECT_EQ(read.error().field, "id");
  ASSERT_TRUE(read.error().standing);
  EXPECT_EQ(read.error().standing->state, State::firing);
  EXPECT_EQ(read.error().standing->attempt, 3U);
  EXPECT_EQ(read.error().standing->at, WallTime(Millis(17)));
}

TEST(Wire, AHistogramKeepsItsQuantiles) {
  LaneView lane;
  for (int i = 0; i < 1000; ++i) lane.lateness.record(Histogram::Micros(i * i));
  lane.lateness.record(std::chrono::hours(24 * 365));  // beyond the last bucket
  Answer<std::vector<LaneView>> read = Refusal();
  ASSERT_TRUE(decode_answer(std::make_shared<const std::string>(encode_answer(
                                Answer<std::vector<LaneView>>(std::vector<LaneView>{lane}))),
                            read));
  const Histogram& back = read.value().at(0).lateness;
  EXPECT_EQ(back.count(), lane.lateness.count());
  EXPECT_EQ(back.max(), lane.lateness.max());
  EXPECT_EQ(back.mean_micros(), lane.lateness.mean_micros());
  for (const double part : {0.1, 0.5, 0.99, 1.0})
    EXPECT_EQ(back.quantile(part), lane.lateness.quantile(part));
}

TEST(Wire, SaysNothingOfWhatATargetIsSetTo) {
  TargetView view;
  view.settings.name = "shop";
  view.settings.concurrency = 17;
  view.waiting = 4;
  Answer<TargetView> read = Refusal();
  ASSERT_TRUE(decode_answer(
      std::make_shared<const std::string>(encode_answer(Answer<TargetView>(view))), read));
  EXPECT_EQ(read->settings.name, "shop");
  EXPECT_EQ(read->waiting, 4U);
  EXPECT_EQ(read->settings.concurrency, TargetSettings().concurrency);
}

TEST(Wire, WhatIsCutOrHasMoreBehindItIsRefused) {
  for_each_call([]<typename Call>() {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const std::string call = filled_call<Call>(seed);
      for (std::size_t size = 0; size < call.size(); ++size)
        EXPECT_FALSE(decode_call(std::string_view(call).substr(0, size)));
      EXPECT_FALSE(decode_call(call + '\0'));
      const std::string answer = filled_answer<Call>(seed);
      for (std::size_t size = 0; size < answer.size(); ++size)
        EXPECT_FALSE(recoded_answer<Call>(answer.substr(0, size)));
      EXPECT_FALSE(recoded_answer<Call>(answer + '\0'));
    }
  });
}

TEST(Wire, WhatIsAlteredIsRefusedOrMeansSomethingElse) {
  std::mt19937_64 random(test::seed_or(4711));
  for_each_call([&random]<typename Call>() {
    for (std::size_t round = 0; round < test::sized(300, 20'000); ++round) {
      std::string call = filled_call<Call>(round % 20);
      std::string answer = filled_answer<Call>(round % 20);
      for (std::string* const bytes : {&call, &answer}) {
        for (std::uint64_t changes = 1 + random() % 3; changes > 0; --changes)
          (*bytes)[random() % bytes->size()] = static_cast<char>(random());
      }
      if (const auto decoded = decode_call(call)) {
        EXPECT_EQ(encoded(*decoded), call);
      }
      if (const auto again = recoded_answer<Call>(answer)) {
        EXPECT_EQ(recoded_answer<Call>(*again), again);
      }
    }
  });
}

TEST(Wire, ACountTakesNoMoreMemoryThanWhatComes) {
  std::string bytes;
  WireWriter archive(bytes);
  archive(kWireVersion, number_of<shard_call::CancelBatch>(), ShardNumber{0},
          std::uint64_t{1} << 62);
  EXPECT_FALSE(decode_call(bytes));
}

TEST(Wire, AnotherVersionIsRefusedByName) {
  std::string bytes = filled_call<shard_call::Get>(1);
  bytes[0] = 2;
  const auto decoded = decode_call(bytes);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().slug, "bad_request");
  EXPECT_NE(decoded.error().detail.find("version 2"), std::string::npos) << decoded.error().detail;
}

/// Another order would have nodes of two versions misunderstand each other.
TEST(Wire, NumbersOfCallsAreForEver) {
  EXPECT_EQ(number_of<shard_call::Add>(), 0);
  EXPECT_EQ(number_of<shard_call::List>(), 7);
  EXPECT_EQ(number_of<shard_call::Stats>(), 16);
  EXPECT_EQ(number_of<shard_call::ExportSome>(), 24);
}

}  // namespace
}  // namespace carillon
