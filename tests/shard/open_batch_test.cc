#include "shard/open_batch.h"

#include <gtest/gtest.h>

#include "tests/shard/shard_fixture.h"

namespace carillon {
namespace {

class OpenBatchTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kRecord = 128;  // what a record counts without texts

  void put(std::uint64_t id, std::size_t content_bytes = 0, const Note* note = nullptr,
           TaskNumber previous = 0) {
    Statement task;
    task.task = fingerprint(id);
    open.append_put(task, previous, std::string(content_bytes, 'x'), note, id);
  }
  void fire(std::uint64_t id) { open.append(record::Fire{fingerprint(id), id}, id); }
  Batch seal(std::uint64_t bytes_max = OpenBatch::kNoLimit, std::size_t restated = 0) {
    Batch batch;
    batch.first = next;
    for (std::size_t i = 0; i < restated; ++i) batch.records.emplace_back(record::Keep{});
    tickets.assign(restated, 0);
    open.seal(bytes_max, batch, tickets);
    next += batch.records.size();
    EXPECT_EQ(tickets.size(), batch.records.size());
    return batch;
  }
  static TaskNumber number_of(const Record& record) {
    return std::get<record::Put>(record).task.number;
  }

  OpenBatch open;
  Sequence next = 100;
  std::vector<Ticket> tickets;
};

TEST_F(OpenBatchTest, without_a_limit_all_goes_in_order_and_contents_get_their_numbers) {
  const Note note{WallTime(Millis(7)), 1, 500, "why"};
  put(1, 10);
  fire(2);
  open.note(50, Note(note));
  open.append(record::Outcome{fingerprint(3), 50, State::dead}, 3);
  put(4, 20, &note, /*previous=*/40);
  open.forget(60);
  EXPECT_EQ(open.bytes(), 6 * kRecord + 30 + 6);
  const Batch batch = seal();
  ASSERT_EQ(batch.records.size(), 4U);
  EXPECT_EQ(number_of(batch.records[0]), 100U);
  EXPECT_EQ(number_of(batch.records[3]), 103U);
  EXPECT_EQ(tickets, (std::vector<Ticket>{1, 2, 3, 4}));
  ASSERT_EQ(batch.contents.size(), 2U);
  EXPECT_EQ(batch.contents[0].number, 100U);
  EXPECT_EQ(batch.contents[1].number, 103U);
  ASSERT_EQ(batch.notes.size(), 2U);
  EXPECT_EQ(batch.notes[0].number, 50U);
  EXPECT_EQ(batch.notes[1].number, 103U) << "that of the content that it is kept beside";
  EXPECT_EQ(batch.forgotten, (std::vector<TaskNumber>{40, 60}));
  EXPECT_EQ(open.bytes(), 0U);
  EXPECT_TRUE(open.records().empty());
}

TEST_F(OpenBatchTest, what_does_not_fit_stays_open_in_order_with_all_that_belongs_to_it) {
  const Note note{WallTime(Millis(7)), 1, 500, "why"};
  put(1, 100);
  put(2, 100, nullptr, /*previous=*/42);
  open.forget(43);  // for the record behind it
  put(3, 100, &note, /*previous=*/44);
  open.note(50, Note(note));
  open.append(record::Outcome{fingerprint(4), 50, State::dead}, 4);
  open.forget(45);
  const std::uint64_t all = open.bytes();

  const Batch first = seal(3 * (kRecord + 100));
  ASSERT_EQ(first.records.size(), 2U) << "a note counts, too";
  EXPECT_EQ(first.contents.size(), 2U);
  EXPECT_TRUE(first.notes.empty());
  EXPECT_EQ(first.forgotten, std::vector<TaskNumber>{42});
  EXPECT_EQ(open.bytes(), all - 2 * (kRecord + 100));

  put(5, 1);  // comes behind them
  const Batch second = seal();
  EXPECT_EQ(tickets, (std::vector<Ticket>{3, 4, 5}));
  EXPECT_EQ(number_of(second.records[0]), 102U);
  EXPECT_EQ(number_of(second.records[2]), 104U);
  EXPECT_EQ(second.contents[0].number, 102U);
  EXPECT_EQ(second.contents[1].number, 104U);
  ASSERT_EQ(second.notes.size(), 2U);
  EXPECT_EQ(second.notes[0].number, 102U);
  EXPECT_EQ(second.notes[1].number, 50U);
  EXPECT_EQ(second.forgotten, (std::vector<TaskNumber>{43, 44, 45}));
  EXPECT_EQ(open.bytes(), 0U);
}

TEST_F(OpenBatchTest, a_record_larger_than_the_limit_goes_alone) {
  put(1, 5000);
  put(2, 10);
  EXPECT_EQ(seal(1000).contents.size(), 1U);
  EXPECT_EQ(seal(1000).contents.size(), 1U);
  EXPECT_TRUE(seal(1000).records.empty());
}

TEST_F(OpenBatchTest, what_the_batch_holds_already_counts) {
  fire(1);
  fire(2);
  const Batch full = seal(3 * kRecord, /*restated=*/3);
  EXPECT_EQ(full.records.size(), 3U) << "none that was open";
  const Batch batch = seal(3 * kRecord, /*restated=*/2);
  EXPECT_EQ(batch.records.size(), 3U);
  EXPECT_EQ(tickets, (std::vector<Ticket>{0, 0, 1}));
  EXPECT_EQ(seal().records.size(), 1U);
}

TEST_F(OpenBatchTest, rows_to_delete_go_without_any_record_too) {
  open.forget(1);
  open.forget(2);
  EXPECT_EQ(open.forgotten(), 2U);
  EXPECT_EQ(seal(1).forgotten.size(), 2U);
  EXPECT_EQ(open.forgotten(), 0U);
}

/// A shard whose batches are small.
class LimitedBatches : public ShardTest {
 protected:
  LimitedBatches() { driver.set_bytes_max(3 * 128 + 100); }
};

TEST_F(LimitedBatches, the_next_ones_have_the_rest_in_order) {
  for (std::uint64_t id = 1; id <= 20; ++id) {
    driver.shard().submit(driver.add(id, start + std::chrono::hours(1)), id);
  }
  const std::size_t before = driver.log().size();
  driver.run();
  EXPECT_EQ(driver.log().size() - before, 7U);
  const Effects effects = driver.take();
  ASSERT_EQ(effects.replies.size(), 20U);
  for (std::uint64_t id = 1; id <= 20; ++id) EXPECT_EQ(effects.replies[id - 1].ticket, id);
  for (const Batch& batch : driver.log()) {
    for (const ContentRow& row : batch.contents) {
      EXPECT_GE(row.number, batch.first);
      EXPECT_LE(row.number, batch.last());
    }
  }
  driver.restart();
  EXPECT_EQ(driver.shard().counts()[0], 20U);
}

TEST_F(LimitedBatches, the_log_is_trimmed_only_once_what_was_open_is_in_it) {
  ask(driver.add(1, start + std::chrono::hours(1)));
  ask(command::Cancel{fingerprint(1)});
  const std::vector<Batch> oldest = driver.log();
  // The finished task gives its id back at once, the record of that stays open for long.
  for (std::uint64_t id = 11; id <= 30; ++id) {
    driver.shard().submit(driver.add(id, start + std::chrono::hours(1)), 0);
  }
  driver.shard().submit(driver.add(1, start + std::chrono::hours(2)), 0);
  driver.shard().restate(oldest);
  for (int i = 0; i < 3; ++i) {
    driver.seal();
    driver.commit();
    EXPECT_EQ(driver.log().front().first, oldest.front().first);
  }
  driver.restart();
  EXPECT_EQ(driver.shard().find(fingerprint(1))->state, State::cancelled);
  driver.shard().restate(oldest);
  driver.run();
  EXPECT_GT(driver.log().front().first, oldest.back().first);
}

TEST_F(LimitedBatches, what_was_firing_comes_before_what_is_overdue_over_many_batches) {
  driver.put_target(1, 30);
  for (std::uint64_t id = 1; id <= 30; ++id) {
    driver.shard().submit(driver.add(id, start + Millis(10)), 0);
  }
  driver.shard().submit(driver.add(99, start + std::chrono::minutes(1)), 0);
  driver.run_until(start + Millis(10));
  ASSERT_EQ(driver.take().fired.size(), 30U);
  driver.set_now(start + std::chrono::hours(1));
  driver.restart();
  driver.run();
  const std::vector<Fired> again = driver.take().fired;
  ASSERT_EQ(again.size(), 30U);
  for (const Fired& fired : again) EXPECT_EQ(fired.attempt, 2U);
}

}  // namespace
}  // namespace carillon
