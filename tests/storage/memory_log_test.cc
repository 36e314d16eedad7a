#include "tests/storage/memory_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/storage/log_fixture.h"

namespace carillon {
namespace {

using ::testing::SizeIs;

std::vector<Batch> read_all(Log& log) {
  std::vector<Batch> batches;
  EXPECT_TRUE(log.read(1, [&](Batch&& batch) { batches.push_back(std::move(batch)); }, {}));
  return batches;
}

TEST(MemoryLog, automatic_acknowledgement_comes_through_post) {
  TestLoop loop;
  MemoryLog log(loop.post(), AutoAck::yes);
  bool done = false;
  log.append(put_batch(1, 3), [&](Appended, Batch&& batch) { done = batch.first == 1; });
  EXPECT_FALSE(done);
  loop.run();
  EXPECT_TRUE(done);
  EXPECT_THAT(read_all(log), SizeIs(1));
}

TEST(MemoryLog, without_acknowledgement_nothing_is_durable) {
  TestLoop loop;
  MemoryLog log(loop.post(), AutoAck::no);
  bool done = false;
  log.append(put_batch(1, 3), [&](Appended, Batch&&) { done = true; });
  loop.run();
  EXPECT_FALSE(done);
  MemoryLog after_crash(loop.post(), AutoAck::yes, log.disk());
  EXPECT_THAT(read_all(after_crash), SizeIs(0));
  log.ack_next();
  loop.run();
  EXPECT_TRUE(done);
}

TEST(MemoryLog, synced_but_not_acknowledged_append_survives_a_crash) {
  TestLoop loop;
  MemoryLog log(loop.post(), AutoAck::no);
  bool done = false;
  log.append(put_batch(1, 3), [&](Appended, Batch&&) { done = true; });
  log.sync_next();
  MemoryLog after_crash(loop.post(), AutoAck::yes, log.disk());
  EXPECT_THAT(read_all(after_crash), SizeIs(1));
  loop.run();
  EXPECT_FALSE(done);
}

TEST(MemoryLog, fetch_trim_and_forget_work_as_on_disk) {
  TestLoop loop;
  MemoryLog log(loop.post(), AutoAck::yes);
  Batch batch = put_batch(1, 3);
  batch.notes.push_back({2, Note{at_ms(5), 1, 503, "503"}});
  log.append(std::move(batch), [](Appended, Batch&&) {});
  loop.run();
  Batch next = put_batch(4, 1);
  next.forgotten = {3};
  next.trim_before = 4;
  log.append(std::move(next), [](Appended, Batch&&) {});
  loop.run();
  std::vector<Fetched> fetched;
  log.fetch({.numbers = {2, 3, 4}, .notes = true},
            [&](std::vector<Fetched> rows) { fetched = std::move(rows); });
  std::vector<Batch> oldest;
  log.read_oldest(1, [&](std::vector<Batch> batches) { oldest = std::move(batches); });
  loop.run();
  ASSERT_THAT(fetched, SizeIs(3));
  EXPECT_EQ(fetched[0].content, content_row(2, "hello"));
  ASSERT_TRUE(fetched[0].note);
  EXPECT_EQ(fetched[0].note->http_status, 503U);
  EXPECT_FALSE(fetched[1].content);
  EXPECT_TRUE(fetched[2].content);
  ASSERT_THAT(oldest, SizeIs(1));
  EXPECT_EQ(oldest[0].first, 4U);
}

TEST(MemoryLog, sequences_go_on_after_everything_was_trimmed) {
  TestLoop loop;
  MemoryLog log(loop.post(), AutoAck::yes);
  log.append(put_batch(1, 6), [](Appended, Batch&&) {});
  loop.run();
  log.append(put_batch(7, 1), [](Appended, Batch&&) {});
  loop.run();
  Batch trim;
  trim.trim_before = 8;
  log.append(std::move(trim), [](Appended, Batch&&) {});
  loop.run();
  MemoryLog later(loop.post(), AutoAck::yes, log.disk());
  EXPECT_THAT(read_all(later), SizeIs(1));
  bool done = false;
  later.append(put_batch(8, 1), [&](Appended, Batch&&) { done = true; });
  loop.run();
  EXPECT_TRUE(done);
}

TEST(MemoryLog, a_follower_gets_what_is_there_and_then_what_comes) {
  TestLoop loop;
  MemoryLog log(loop.post(), AutoAck::yes);
  log.append(put_batch(1, 3), [](Appended, Batch&&) {});
  loop.run();
  std::vector<Sequence> followed;
  const Followed note = [&](Result<std::vector<Batch>> batches) {
    ASSERT_TRUE(batches);
    for (const Batch& batch : *batches) followed.push_back(batch.first);
  };
  log.follow(1, 1, note);
  log.follow(4, 1, note);
  loop.run();
  EXPECT_EQ(followed, std::vector<Sequence>{1});
  log.append(put_batch(4, 1), [](Appended, Batch&&) {});
  loop.run();
  EXPECT_EQ(followed, (std::vector<Sequence>{1, 4}));
}

}  // namespace
}  // namespace carillon
