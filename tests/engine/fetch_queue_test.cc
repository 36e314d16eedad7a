#include "engine/fetch_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carillon {
namespace {

Unfetched task(std::uint64_t target, TaskNumber number) {
  Unfetched task;
  task.fired.target.low = target;
  task.fired.number = number;
  return task;
}

std::vector<TaskNumber> popped(FetchQueue& queue) {
  std::vector<TaskNumber> numbers;
  while (!queue.empty()) numbers.push_back(queue.pop().fired.number);
  return numbers;
}

TEST(FetchQueue, targets_take_turns_and_a_targets_tasks_keep_their_order) {
  FetchQueue queue;
  for (const TaskNumber number : {1, 2, 3, 4}) queue.push_back(task(7, number));
  queue.push_back(task(8, 10));
  queue.push_back(task(8, 11));
  EXPECT_THAT(popped(queue), testing::ElementsAre(1, 10, 2, 11, 3, 4));
}

TEST(FetchQueue, what_could_not_be_fetched_comes_before_its_targets_others) {
  FetchQueue queue;
  for (const TaskNumber number : {1, 2, 3}) queue.push_back(task(7, number));
  const Unfetched first = queue.pop();
  queue.push_back(task(8, 10));
  queue.push_front(first);
  EXPECT_THAT(popped(queue), testing::ElementsAre(1, 10, 2, 3));
}

}  // namespace
}  // namespace carillon
