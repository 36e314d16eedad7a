#include "tools/load/workload.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carillon::load {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const Wire kWire{"host", "secret"};

TEST(Workload, SingleAddIsAWholeRequest) {
  const auto adds = make_adds(kWire, {.id_pattern = "u{}:c", .target = "t"}, 1, BatchForm::json, 1);
  Request request;
  ASSERT_TRUE(adds->next(request));
  EXPECT_THAT(request.bytes, StartsWith("POST /v1/tasks HTTP/1.1\r\nHost: host\r\n"));
  EXPECT_THAT(request.bytes, HasSubstr("Authorization: Bearer secret\r\n"));
  EXPECT_THAT(request.bytes, HasSubstr(R"({"id":"u0:c","delay":3600000,"target":"t",)"));
  const std::size_t body = request.bytes.find("\r\n\r\n") + 4;
  EXPECT_THAT(request.bytes,
              HasSubstr("Content-Length: " + std::to_string(request.bytes.size() - body) + "\r\n"));
  EXPECT_FALSE(adds->next(request));
}

TEST(Workload, PayloadHasTheSizeAskedFor) {
  std::string out;
  std::mt19937_64 random(1);
  append_task(out, {.target = "t", .payload_bytes = 150}, 7, random);
  const std::size_t from = out.find("\"payload\":") + 10;
  EXPECT_EQ(out.size() - 1 - from, 150U);
}

TEST(Workload, LastBatchHoldsTheRest) {
  const auto adds = make_adds(kWire, {.target = "t"}, 10, BatchForm::ndjson, 25);
  Request request;
  std::vector<std::uint64_t> sizes;
  while (adds->next(request)) {
    sizes.push_back(request.tasks);
    EXPECT_THAT(request.bytes, HasSubstr("application/x-ndjson"));
    EXPECT_THAT(request.bytes, EndsWith("}\n"));
  }
  EXPECT_EQ(sizes, (std::vector<std::uint64_t>{10, 10, 5}));
}

TEST(Workload, DelaysSpreadOverTheWholeRange) {
  std::mt19937_64 random(1);
  std::set<std::string> delays;
  for (std::uint64_t i = 0; i < 200; ++i) {
    std::string out;
    append_task(out, {.target = "t", .delay_min = Millis(1), .delay_max = Millis(3)}, i, random);
    const std::size_t from = out.find("\"delay\":") + 8;
    delays.insert(out.substr(from, out.find(',', from) - from));
  }
  EXPECT_EQ(delays, (std::set<std::string>{"1", "2", "3"}));
}

TEST(Workload, CancelEscapesTheId) {
  const auto cancels = make_cancels({"h", ""}, {.id_pattern = "u {}:c/d"}, {}, 1, 1);
  Request request;
  ASSERT_TRUE(cancels->next(request));
  EXPECT_THAT(request.bytes, StartsWith("DELETE /v1/tasks/u%200%3Ac%2Fd HTTP/1.1\r\n"));
  EXPECT_THAT(request.bytes, Not(HasSubstr("Authorization")));
}

TEST(Workload, MixCancelsOnlyWhatWasAnsweredAndEachOnce) {
  const auto mix = make_mix(kWire, {.target = "t"}, 0.9, 2000);
  std::set<std::uint64_t> added, cancelled;
  Request request;
  while (mix->next(request)) {
    if (request.adds) {
      const bool answered = request.number % 2 == 0;
      mix->answered(request, answered ? 201 : 503);
      if (answered) added.insert(request.number);
    } else {
      EXPECT_TRUE(added.contains(request.number));
      EXPECT_TRUE(cancelled.insert(request.number).second);
      mix->answered(request, 200);
    }
  }
  EXPECT_EQ(added.size(), cancelled.size())
      << "with half refused there are fewer than 0.9 to cancel";
}

TEST(Workload, ScatteredOrderTakesEachOnce) {
  const Order order{.first = 100, .among = 1000, .skip = 7};
  std::set<std::uint64_t> seen;
  std::uint64_t neighbours = 0;
  for (std::uint64_t place = 0; place < 1000; ++place) {
    seen.insert(order[place]);
    if (place > 0 && order[place] == order[place - 1] + 1) ++neighbours;
  }
  EXPECT_EQ(seen.size(), 1000U);
  EXPECT_EQ(*seen.begin(), 100U);
  EXPECT_EQ(*seen.rbegin(), 1099U);
  EXPECT_LT(neighbours, 10U);
  EXPECT_EQ(order[0], (Order{.first = 100, .among = 1000}[7]));
}

TEST(Workload, CancelsFollowTheOrder) {
  const Order order{.first = 5, .among = 50};
  const auto cancels = make_cancels(kWire, {.id_pattern = "u{}"}, order, 2, 3);
  Request request;
  ASSERT_TRUE(cancels->next(request));
  EXPECT_THAT(request.bytes, EndsWith(R"({"ids":["u)" + std::to_string(order[0]) + R"(","u)" +
                                      std::to_string(order[1]) + "\"]}"));
  ASSERT_TRUE(cancels->next(request));
  EXPECT_EQ(request.tasks, 1U);
  EXPECT_THAT(request.bytes, EndsWith("[\"u" + std::to_string(order[2]) + "\"]}"));
  EXPECT_FALSE(cancels->next(request));
}

TEST(Workload, GetIsAskedAsOftenAsSaid) {
  const auto gets = make_gets(kWire, "/v1/tasks?limit=100", 2);
  Request request;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(gets->next(request));
    EXPECT_EQ(request.bytes,
              "GET /v1/tasks?limit=100 HTTP/1.1\r\nHost: host\r\n"
              "Authorization: Bearer secret\r\n\r\n");
    EXPECT_EQ(request.tasks, 1U) << "so that a refusal counts as one";
    EXPECT_FALSE(request.adds);
  }
  EXPECT_FALSE(gets->next(request));
}

}  // namespace
}  // namespace carillon::load
