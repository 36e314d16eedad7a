// A shard with one target, ready to be asked; the fixture of the shard's tests.
#pragma once

#include <utility>

#include <gtest/gtest.h>

#include "tests/shard/hand_driver.h"

namespace carillon {

class ShardTest : public testing::Test {
 protected:
  ShardTest() {
    driver.put_target(1);
    driver.run();
    driver.take();
  }
  Reply only_reply() {
    const Effects effects = driver.take();
    EXPECT_EQ(effects.replies.size(), 1U);
    return effects.replies.empty() ? Reply{} : effects.replies.front();
  }
  Reply ask(Command command) {
    driver.shard().submit(std::move(command), 9);
    driver.run();
    return only_reply();
  }
  static ShardOptions options() {
    ShardOptions options;
    options.catch_up_per_second = 5000;
    return options;
  }
  HandDriver driver{options()};
  WallTime start = driver.now();
};

}  // namespace carillon
