// Receivers that hang, by the hundred or with thousands of slots: nobody takes what others need.
#include <fmt/format.h>

#include "tests/end_to_end/scenarios.h"
#include "tests/faults/attack.h"

namespace carillon::test {
namespace {

constexpr char kImpatient[] = "[url_defaults]\ntimeout = \"20s\"\nretry = { max_attempts = 1 }\n";

/// At the size of every change the server has few descriptors, so that fewer tasks take all slots.
class AttackByReceivers : public Attack {
 protected:
  [[nodiscard]] static std::vector<std::string> few_files() {
    if (sized(0, 1) == 1) return {};
    return {"/usr/bin/prlimit", "--nofile=2000:2000"};
  }
  [[nodiscard]] static std::string to(const std::string& target) {
    return R"("payload":1,"target":")" + target + "\"";
  }
};

TEST_F(AttackByReceivers, ManyOriginsThatNeverAnswerTakeNobodysSlots) {
  ASSERT_NO_FATAL_FAILURE(start(kImpatient, few_files()));
  const std::size_t origins = sized(24, 160);
  const SilentListener listener;
  beside(fmt::format("{} origins that never answer", origins), [&] {
    const std::string batch = tasks(origins * 64, wall_millis(), [&](std::size_t i) {
      return to(listener.url(1 + i % origins));
    });
    const std::size_t half = batch.find('\n', batch.size() / 2) + 1;
    EXPECT_EQ(add(batch.substr(0, half)) + add(batch.substr(half)), origins * 64);
    std::this_thread::sleep_for(length());
  });
}

TEST_F(AttackByReceivers, OneTargetWithThousandsOfSlotsThatNeverAnswersTakesNobodysSlots) {
  ASSERT_NO_FATAL_FAILURE(start(kImpatient, few_files()));
  const std::size_t count = sized(2'000, 10'000);
  const SilentListener listener;
  put_target(server, "hanging",
             fmt::format(R"({{"url":"{}","concurrency":10000,"timeout":"20s",)"
                         R"("retry":{{"max_attempts":1}}}})",
                         listener.url(1)));
  beside("one target with 10,000 slots", [&] {
    EXPECT_EQ(add(tasks(count, wall_millis(), [](std::size_t) { return to("hanging"); })), count);
    std::this_thread::sleep_for(length());
  });
}

TEST_F(AttackByReceivers, ThousandsOfNamesThatNobodyAnswersForHoldUpNoGoodName) {
  ASSERT_NO_FATAL_FAILURE(start(kImpatient,
                                {"/usr/bin/env", "LD_PRELOAD=" + program("slow_names.so"),
                                 "ASAN_OPTIONS=verify_asan_link_order=0"},
                                "customer.test"));
  const std::size_t names = sized(200, 2'000);
  const auto batch = [&](WallTime due) {
    return tasks(names, due,
                 [](std::size_t i) { return to(fmt::format("http://{}.slow.test/", i)); });
  };
  beside("names that nobody answers for", [&] {
    EXPECT_EQ(add(batch(wall_millis())), names);
    std::this_thread::sleep_for(length());
  });
  // After a restart all are looked up at once, and the good name is not known yet.
  ASSERT_EQ(add(batch(wall_millis() + std::chrono::seconds(1))), names);
  server.kill();
  ASSERT_TRUE(server.start());
  beside("the same after a restart", [&] { std::this_thread::sleep_for(length()); });
}

}  // namespace
}  // namespace carillon::test
