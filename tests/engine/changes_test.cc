// Changes of targets and lanes that are asked for at once: each answers what it has made.

#include "tests/engine/engine_fixture.h"

namespace carillon {
namespace {

class ChangesTest : public EngineTest {
 protected:
  /// Begins the work and keeps what it answers.
  template <typename T>
  std::shared_ptr<std::optional<T>> begin(Async<T> work) {
    auto answer = std::make_shared<std::optional<T>>();
    boost::asio::co_spawn(loop, std::move(work),
                          [answer](const std::exception_ptr& error, T value) {
                            EXPECT_EQ(error, nullptr);
                            answer->emplace(std::move(value));
                          });
    return answer;
  }
  static Result<TargetSettings> shop(const TargetSettings*) {
    TargetSettings settings;
    http_of(settings).url = "http://127.0.0.1:9/";
    return settings;
  }
};

TEST_F(ChangesTest, a_target_that_is_deleted_right_behind_its_put_is_answered_as_it_was_made) {
  const auto made = begin(engine->change_target("shop", shop));
  const auto deleted = begin(engine->delete_target("shop", false));
  const auto made_again = begin(engine->change_target("shop", shop));
  const auto resumed = begin(engine->pause_target("shop", false));
  const auto paused = begin(engine->pause_target("shop", true));
  const auto deleted_again = begin(engine->delete_target("shop", true));
  const auto not_there = begin(engine->pause_target("shop", false));
  run_until([&] { return not_there->has_value(); });
  for (const auto& put : {made, made_again}) {
    ASSERT_TRUE(**put) << (*put)->error().detail;
    EXPECT_TRUE((*put)->value().made);
    EXPECT_EQ((*put)->value().view.settings.name, "shop");
    EXPECT_FALSE((*put)->value().view.settings.paused);
  }
  ASSERT_TRUE(**resumed && **paused);
  EXPECT_FALSE((*resumed)->value().settings.paused);
  EXPECT_TRUE((*paused)->value().settings.paused);
  EXPECT_TRUE(**deleted && **deleted_again);
  EXPECT_EQ((*not_there)->error().slug, "not_found");
}

TEST_F(ChangesTest, a_lane_that_is_deleted_right_behind_its_put_is_answered_as_it_was_made) {
  const auto made = begin(engine->put_lane("fast", {.weight = 3}));
  const auto changed = begin(engine->put_lane("fast", {.weight = 5}));
  const auto deleted = begin(engine->delete_lane("fast"));
  const auto made_again = begin(engine->put_lane("fast", {.weight = 7}));
  run_until([&] { return made_again->has_value(); });
  ASSERT_TRUE(**made && **changed && **made_again);
  EXPECT_TRUE((*made)->value().made);
  EXPECT_EQ((*made)->value().view.settings.weight, 3U);
  EXPECT_FALSE((*changed)->value().made);
  EXPECT_EQ((*changed)->value().view.settings.weight, 5U);
  EXPECT_TRUE(**deleted);
  EXPECT_TRUE((*made_again)->value().made);
  EXPECT_EQ((*made_again)->value().view.name, "fast");
  EXPECT_EQ((*made_again)->value().view.settings.weight, 7U);
}

}  // namespace
}  // namespace carillon
