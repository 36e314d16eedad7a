#include "storage/rocksdb_log.h"

#include <algorithm>
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/storage/log_fixture.h"

namespace carillon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(RocksdbLog, batches_contents_and_notes_are_there_after_a_restart) {
  const TempDir temp;
  Batch batch = put_batch(1, 3);
  batch.notes.push_back({2, Note{at_ms(5), 1, 503, "503"}});
  SipKey key{};
  {
    LogHarness harness(temp / "data");
    ASSERT_TRUE(harness.log) << harness.error;
    key = harness.log->key();
    EXPECT_THAT(harness.read(), SizeIs(0));
    EXPECT_TRUE(harness.append(batch));
    EXPECT_TRUE(harness.append(put_batch(4, 1)));
    harness.log->close();
  }
  LogHarness harness(temp / "data");
  ASSERT_TRUE(harness.log) << harness.error;
  EXPECT_EQ(harness.log->key(), key);
  EXPECT_NE(key, (SipKey{0, 0}));
  const auto batches = harness.read();
  ASSERT_THAT(batches, SizeIs(2));
  EXPECT_EQ(batches[0].records, batch.records);
  EXPECT_EQ(batches[0].at, batch.at);
  EXPECT_EQ(batches[1].first, 4U);
  const auto fetched = harness.fetch({4, 99, 2});
  ASSERT_THAT(fetched, SizeIs(3));
  EXPECT_EQ(fetched[0].content, content_row(4, "hello"));
  EXPECT_FALSE(fetched[0].note);
  EXPECT_EQ(fetched[1].number, 99U);
  EXPECT_FALSE(fetched[1].content);
  EXPECT_EQ(fetched[2].content, content_row(2, "hello"));
  ASSERT_TRUE(fetched[2].note);
  EXPECT_EQ(fetched[2].note->error, "503");
  EXPECT_FALSE(harness.fetch({2}, /*notes=*/false)[0].note);
}

TEST(RocksdbLog, a_fetch_ends_at_its_bytes_and_says_what_it_left_out) {
  const TempDir temp;
  LogHarness harness(temp / "data");
  ASSERT_TRUE(harness.append(put_batch(1, 100)));
  const std::size_t row = content_row(1, "hello").size();
  for (const TaskNumber step : {1, 20}) {  // side by side, and one by one
    std::vector<TaskNumber> numbers;
    for (TaskNumber number = 1; number <= 100; number += step) numbers.push_back(number);
    const auto some = harness.fetch({.numbers = numbers, .notes = true, .bytes_max = 2 * row + 10});
    ASSERT_EQ(some.size(), numbers.size());
    EXPECT_EQ(std::ranges::count(some, false, &Fetched::left_out), 3);
    for (const Fetched& one : some) EXPECT_EQ(one.content.has_value(), !one.left_out);
    const auto least = harness.fetch({.numbers = numbers, .bytes_max = 1, .in_background = true});
    EXPECT_EQ(std::ranges::count(least, false, &Fetched::left_out), 1);
  }
}

TEST(RocksdbLog, large_contents_come_in_any_order_and_number) {
  const TempDir temp;
  LogHarness harness(temp / "data");
  Batch batch = put_batch(1, 200);
  for (ContentRow& content : batch.contents) content.bytes.assign(100'000, 'x');
  ASSERT_TRUE(harness.append(std::move(batch)));
  std::vector<TaskNumber> numbers;
  for (TaskNumber number = 200; number > 0; number -= 5) numbers.push_back(number);
  for (const Fetched& one : harness.fetch(numbers)) {
    ASSERT_TRUE(one.content) << one.number;
    EXPECT_EQ(one.content->size(), 100'000U);
  }
}

TEST(RocksdbLog, a_number_that_is_asked_for_twice_is_answered_twice) {
  const TempDir temp;
  LogHarness harness(temp / "data");
  ASSERT_TRUE(harness.append(put_batch(1, 40)));
  std::vector<TaskNumber> numbers;
  for (TaskNumber number = 1; number <= 40; ++number) numbers.push_back(number);
  numbers.push_back(7);
  numbers.push_back(7);
  for (const Fetched& one : harness.fetch(numbers)) {
    EXPECT_EQ(one.content, content_row(one.number, "hello"));
  }
}

TEST(RocksdbLog, heads_are_contents_without_body_and_headers) {
  const TempDir temp;
  LogHarness harness(temp / "data");
  TaskContent content;
  content.id = "a";
  content.target = "shop";
  content.body = "hello";
  content.content_type = "text/plain";
  content.headers = {{"x-a", "1"}};
  Batch batch = put_batch(1, 1);
  batch.contents[0].bytes = encode_content(content);
  ASSERT_TRUE(harness.append(std::move(batch)));
  const auto fetched = harness.fetch({.numbers = {1}, .heads = true, .in_background = true});
  ASSERT_TRUE(fetched[0].content);
  const auto head = decode_content(*fetched[0].content);
  ASSERT_TRUE(head) << head.error().detail;
  EXPECT_EQ(head->id, "a");
  EXPECT_EQ(head->content_type, "text/plain");
  EXPECT_TRUE(head->body.empty());
  EXPECT_TRUE(head->headers.empty());
}

TEST(RocksdbLog, rows_side_by_side_are_fetched_as_each_alone_would_be) {
  const TempDir temp;
  LogHarness harness(temp / "data");
  ASSERT_TRUE(harness.append(put_batch(1, 100)));
  Batch forgetting = put_batch(101, 1);
  forgetting.forgotten = {1, 30, 31, 32, 100};
  forgetting.notes.push_back({50, Note{at_ms(5), 1, 503, "503"}});
  ASSERT_TRUE(harness.append(forgetting));
  std::vector<TaskNumber> numbers;
  for (TaskNumber number = 110; number > 0; --number) {
    if (number % 3 != 0) numbers.push_back(number);
  }
  const auto together = harness.fetch(numbers);
  ASSERT_EQ(together.size(), numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto alone = harness.fetch({numbers[i]});
    EXPECT_EQ(together[i].number, numbers[i]);
    EXPECT_EQ(together[i].content, alone[0].content) << numbers[i];
    EXPECT_EQ(together[i].note.has_value(), alone[0].note.has_value()) << numbers[i];
    EXPECT_EQ(together[i].content.has_value(),
              numbers[i] <= 101 && !std::ranges::count(forgetting.forgotten, numbers[i]));
  }
}

TEST(RocksdbLog, a_batch_without_records_leaves_its_time) {
  const TempDir temp;
  const auto latest_after = [&](std::vector<Batch> appended) {
    LogHarness harness(temp / "data");
    const std::vector<Batch> read = harness.read();
    for (const Batch& batch : appended) EXPECT_TRUE(harness.append(batch));
    return read.empty() ? std::pair(Sequence{0}, WallTime())
                        : std::pair(read.back().first, read.back().at);
  };
  Batch time_alone;
  time_alone.first = 1;
  time_alone.at = at_ms(1'800'000'000'000);
  Batch earlier = time_alone;
  earlier.at = at_ms(1'000);
  latest_after({time_alone});
  EXPECT_EQ(latest_after({put_batch(1, 3)}), std::pair(Sequence{1}, time_alone.at));
  EXPECT_EQ(latest_after({earlier}), std::pair(Sequence{4}, time_alone.at));
  EXPECT_EQ(latest_after({}), std::pair(Sequence{1}, put_batch(1, 3).at));
}

TEST(RocksdbLog, a_row_that_is_asked_for_twice_comes_twice) {
  const TempDir temp;
  LogHarness harness(temp / "data");
  ASSERT_TRUE(harness.append(put_batch(1, 40)));
  for (const TaskNumber in_all : {2, 15, 16, 40}) {
    std::vector<TaskNumber> numbers{in_all, 1, 1};
    for (TaskNumber number = 1; number <= in_all; ++number) numbers.push_back(number);
    for (const Fetched& fetched : harness.fetch(numbers)) {
      EXPECT_EQ(fetched.content, content_row(fetched.number, "hello"))
          << fetched.number << " of " << in_all;
    }
  }
}

TEST(RocksdbLog, reading_from_a_sequence_begins_with_the_batch_that_holds_it) {
  const TempDir temp;
  LogHarness harness(temp / "data");
  ASSERT_TRUE(harness.append(put_batch(1, 3)));
  ASSERT_TRUE(harness.append(put_batch(4, 3)));
  ASSERT_TRUE(harness.append(put_batch(7, 3)));
  const auto batches = harness.read(5);
  ASSERT_THAT(batches, SizeIs(2));
  EXPECT_EQ(batches[0].first, 4U);
  EXPECT_THAT(harness.read(10), SizeIs(0));
}

TEST(RocksdbLog, killed_without_close_keeps_what_was_acknowledged) {
  const TempDir temp;
  LogHarness harness(temp / "data");
  ASSERT_TRUE(harness.append(put_batch(1, 3)));
  std::filesystem::copy(temp / "data", temp / "copy", std::filesystem::copy_options::recursive);
  LogHarness copy(temp / "copy");
  ASSERT_TRUE(copy.log) << copy.error;
  EXPECT_THAT(copy.read(), SizeIs(1));
}

TEST(RocksdbLog, what_was_being_written_at_a_kill_under_a_name_of_its_own_is_removed) {
  const TempDir temp;
  {
    const LogHarness harness(temp / "data");
  }
  const std::string left_over = temp / "data/db/OPTIONS-000099.dbtmp";
  std::ofstream(left_over) << "half of it";
  const LogHarness harness(temp / "data");
  ASSERT_TRUE(harness.log) << harness.error;
  EXPECT_FALSE(std::filesystem::exists(left_over));
}

TEST(RocksdbLog, forgotten_rows_are_gone_and_the_others_stay) {
  const TempDir temp;
  LogHarness harness(temp / "data");
  Batch batch = put_batch(1, 3);
  batch.notes.push_back({2, Note{at_ms(5), 1, 200, ""}});
  ASSERT_TRUE(harness.append(batch));
  Batch forget;
  forget.forgotten = {2, 3, 77};
  ASSERT_TRUE(harness.append(forget));
  const auto fetched = harness.fetch({1, 2, 3});
  EXPECT_TRUE(fetched[0].content);
  EXPECT_FALSE(fetched[1].content);
  EXPECT_FALSE(fetched[1].note);
  EXPECT_FALSE(fetched[2].content);
}

TEST(RocksdbLog, trimmed_batches_are_gone_also_after_a_restart) {
  const TempDir temp;
  {
    LogHarness harness(temp / "data");
    for (Sequence first = 1; first <= 10; ++first) {
      ASSERT_TRUE(harness.append(put_batch(first, 1)));
    }
    const auto before = harness.log->stats().log_bytes;
    Batch trim = put_batch(11, 1);
    trim.trim_before = 6;
    ASSERT_TRUE(harness.append(trim));
    EXPECT_LT(harness.log->stats().log_bytes, before);
    EXPECT_EQ(harness.read_oldest(1).front().first, 6U);
    harness.log->close();
  }
  LogHarness harness(temp / "data");
  const auto batches = harness.read();
  ASSERT_THAT(batches, SizeIs(6));
  EXPECT_EQ(batches.front().first, 6U);
  EXPECT_EQ(harness.error, "");
}

TEST(RocksdbLog, trim_inside_a_batch_drops_that_batch) {
  const TempDir temp;
  {
    LogHarness harness(temp / "data");
    ASSERT_TRUE(harness.append(put_batch(1, 5)));
    ASSERT_TRUE(harness.append(put_batch(6, 5)));
    Batch trim;
    trim.trim_before = 3;
    ASSERT_TRUE(harness.append(trim));
  }
  LogHarness harness(temp / "data");
  ASSERT_TRUE(harness.log) << harness.error;
  const auto batches = harness.read();
  EXPECT_EQ(harness.error, "");
  ASSERT_THAT(batches, SizeIs(1));
  EXPECT_EQ(batches.front().first, 6U);
}

TEST(RocksdbLog, sequences_go_on_after_everything_was_trimmed) {
  const TempDir temp;
  {
    LogHarness harness(temp / "data");
    ASSERT_TRUE(harness.append(put_batch(1, 6)));
    ASSERT_TRUE(harness.append(put_batch(7, 1)));
    Batch trim;
    trim.trim_before = 8;
    ASSERT_TRUE(harness.append(trim));
    EXPECT_THAT(harness.read_oldest(1000), SizeIs(1));
  }
  LogHarness harness(temp / "data");
  ASSERT_TRUE(harness.log) << harness.error;
  const auto batches = harness.read();
  ASSERT_THAT(batches, SizeIs(1));
  EXPECT_EQ(batches[0].last(), 7U);
  EXPECT_TRUE(harness.append(put_batch(8, 1)));
  EXPECT_THAT(harness.read(), SizeIs(2));
}

TEST(RocksdbLogDeathTest, appending_with_a_gap_is_a_mistake) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const TempDir temp;
  LogHarness harness(temp / "data");
  ASSERT_TRUE(harness.append(put_batch(1, 3)));
  EXPECT_DEATH(harness.log->append(put_batch(5, 1), [](Appended, Batch&&) {}), "first");
}

TEST(RocksdbLogDeathTest, second_append_before_the_first_is_done_is_a_mistake) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const TempDir temp;
  LogHarness harness(temp / "data");
  EXPECT_DEATH(
      {
        harness.log->append(put_batch(1, 1), [](Appended, Batch&&) {});
        harness.log->append(put_batch(2, 1), [](Appended, Batch&&) {});
      },
      "in_flight");
}

TEST(RocksdbLog, read_oldest_gives_at_least_one_batch_and_stops_at_the_bytes) {
  const TempDir temp;
  LogHarness harness(temp / "data");
  EXPECT_THAT(harness.read_oldest(1), SizeIs(0));
  for (Sequence first = 1; first <= 101; first += 10) {
    ASSERT_TRUE(harness.append(put_batch(first, 10)));
  }
  EXPECT_THAT(harness.read_oldest(1), SizeIs(1));
  EXPECT_THAT(harness.read_oldest(1 << 20), SizeIs(11));
  const auto some = harness.read_oldest(1000);
  EXPECT_GT(some.size(), 1U);
  EXPECT_LT(some.size(), 11U);
}

TEST(RocksdbLog, batch_comes_back_with_its_memory) {
  const TempDir temp;
  LogHarness harness(temp / "data");
  Batch batch = put_batch(1, 3);
  const void* memory = batch.records.data();
  const void* returned = nullptr;
  harness.log->append(std::move(batch),
                      [&](Appended, Batch&& back) { returned = back.records.data(); });
  ASSERT_TRUE(harness.loop.run_until([&] { return returned != nullptr; }));
  EXPECT_EQ(returned, memory);
}

TEST(RocksdbLog, checkpoint_opens_with_identical_contents) {
  const TempDir temp;
  LogHarness harness(temp / "data");
  ASSERT_TRUE(harness.append(put_batch(1, 100)));
  ASSERT_TRUE(harness.append(put_batch(101, 100)));
  EXPECT_EQ(harness.checkpoint(temp / "copy"), "");
  ASSERT_TRUE(harness.append(put_batch(201, 1)));
  EXPECT_EQ(entries_of(temp / ""), 2U) << "the draft is gone";

  LogHarness copy(temp / "copy");
  ASSERT_TRUE(copy.log) << copy.error;
  EXPECT_EQ(copy.log->key(), harness.log->key());
  const auto batches = copy.read();
  ASSERT_THAT(batches, SizeIs(2));
  EXPECT_EQ(batches[1].records, put_batch(101, 100).records);
  EXPECT_EQ(copy.fetch({150})[0].content, content_row(150, "hello"));
  EXPECT_TRUE(copy.append(put_batch(201, 5)));
}

TEST(RocksdbLog, checkpoint_into_an_existing_directory_is_refused) {
  const TempDir temp;
  LogHarness harness(temp / "data");
  std::filesystem::create_directory(temp / "copy");
  EXPECT_THAT(harness.checkpoint(temp / "copy"), HasSubstr("exists already"));
  EXPECT_THAT(harness.checkpoint(temp / "no/such/parent"), HasSubstr("no/such/parent"));
}

TEST(RocksdbLog, checkpoint_deletes_nothing_that_it_did_not_make) {
  const TempDir temp;
  // A data directory by the very name that a checkpoint's draft once had.
  LogHarness harness(temp / "copy.incomplete");
  ASSERT_TRUE(harness.append(put_batch(1, 1)));
  std::filesystem::create_directories(temp / "copy.incomplete-00000000/db");
  EXPECT_EQ(harness.checkpoint(temp / "copy/"), "");
  EXPECT_TRUE(LogHarness(temp / "copy").log);
  EXPECT_TRUE(std::filesystem::exists(temp / "copy.incomplete-00000000/db"));
  EXPECT_TRUE(std::filesystem::exists(temp / "copy.incomplete/FORMAT"));
  EXPECT_TRUE(harness.append(put_batch(2, 1)));
  EXPECT_EQ(entries_of(temp / ""), 3U) << "its own draft is gone";
}

TEST(RocksdbLog, checkpoint_in_at_or_above_the_data_directory_is_refused) {
  const TempDir temp;
  std::filesystem::create_directories(temp / "above");
  LogHarness harness(temp / "above/data");
  ASSERT_TRUE(harness.append(put_batch(1, 1)));
  std::filesystem::create_symlink(temp / "above/data", temp / "link");
  for (const char* place : {"above/data", "above/data/", "above/data/copy", "above/data/db/copy",
                            "above/other/../data/copy", "link/copy", "link"}) {
    EXPECT_THAT(harness.checkpoint(temp / place), HasSubstr("must not lie in")) << place;
  }
  for (const char* place : {"above", "above/data/..", ""}) {
    EXPECT_THAT(harness.checkpoint(temp / place), HasSubstr("must not hold")) << place;
  }
  EXPECT_THAT(harness.checkpoint(temp / std::string("copy\0more", 9)), HasSubstr("NUL"));
  EXPECT_EQ(harness.checkpoint(temp / "above/data-copy"), "") << "a name that only begins alike";
  EXPECT_TRUE(harness.failures.empty());
}

TEST(RocksdbLog, second_log_on_the_same_directory_is_refused) {
  const TempDir temp;
  LogHarness one(temp / "data");
  LogHarness two(temp / "data");
  EXPECT_FALSE(two.log);
  EXPECT_THAT(two.error, HasSubstr("another carillond"));
  EXPECT_TRUE(one.append(put_batch(1, 1)));
}

/// A lock on the directory itself, as another process has it; false: it is taken.
bool lock_directory(const std::string& path, int& directory) {
  directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  EXPECT_GE(directory, 0);
  return ::flock(directory, LOCK_EX | LOCK_NB) == 0;
}

TEST(RocksdbLog, locks_the_directory_too_for_its_lock_file_may_be_deleted) {
  const TempDir temp;
  int directory = -1;
  {
    LogHarness one(temp / "data");
    ASSERT_TRUE(one.log);
    EXPECT_FALSE(lock_directory(temp / "data", directory));
    ::close(directory);
  }
  ASSERT_TRUE(lock_directory(temp / "data", directory)) << "a closed log holds no lock";
  LogHarness two(temp / "data");
  EXPECT_FALSE(two.log);
  EXPECT_THAT(two.error, HasSubstr("another carillond"));
  ::close(directory);
}

TEST(RocksdbLog, data_directory_is_its_owners_alone) {
  const TempDir temp;
  LogHarness harness(temp / "data");
  struct stat info{};
  ASSERT_EQ(::stat((temp / "data").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST(RocksdbLog, missing_parent_directory_is_refused) {
  const TempDir temp;
  LogHarness harness(temp / "no/such/dir");
  EXPECT_FALSE(harness.log);
  EXPECT_THAT(harness.error, HasSubstr("no/such/dir"));
}

TEST(RocksdbLog, stats_count_commits_and_bytes) {
  const TempDir temp;
  LogHarness harness(temp / "data");
  ASSERT_TRUE(harness.append(put_batch(1, 10)));
  ASSERT_TRUE(harness.append(put_batch(11, 10)));
  const LogStats stats = harness.log->stats();
  EXPECT_EQ(stats.commits, 2U);
  EXPECT_GT(stats.commit_bytes, 20U * 50);
  EXPECT_GT(stats.log_bytes, 15U * 20);
  EXPECT_GT(stats.disk_bytes, 0U);
}

TEST(RocksdbLogFollow, gives_what_is_there_and_then_what_comes) {
  const TempDir dir;
  LogHarness harness(dir / "data");
  for (const Sequence first : {1, 11, 21}) ASSERT_TRUE(harness.append(put_batch(first, 10)));
  const auto some = harness.follow(1);
  ASSERT_TRUE(harness.loop.run_until([&] { return some->has_value(); }));
  ASSERT_THAT(some->value().value(), SizeIs(1)) << "no more than was asked for";
  const auto rest = harness.follow(11, 1 << 20);
  ASSERT_TRUE(harness.loop.run_until([&] { return rest->has_value(); }));
  ASSERT_THAT(rest->value().value(), SizeIs(2));
  EXPECT_EQ(rest->value()->back().last(), 30U);
  const auto next = harness.follow(31);
  harness.loop.run();
  EXPECT_FALSE(next->has_value());
  Batch time_alone;
  time_alone.first = 31;
  time_alone.at = at_ms(1'800'000'000'000);
  ASSERT_TRUE(harness.append(time_alone));
  harness.loop.run();
  EXPECT_FALSE(next->has_value()) << "it has no records";
  ASSERT_TRUE(harness.append(put_batch(31, 2)));
  ASSERT_TRUE(harness.loop.run_until([&] { return next->has_value(); }));
  EXPECT_EQ(next->value()->front().first, 31U);
}

TEST(RocksdbLogFollow, says_what_is_trimmed_and_goes_on_behind_it) {
  const TempDir dir;
  LogHarness harness(dir / "data");
  for (const Sequence first : {1, 11, 21}) ASSERT_TRUE(harness.append(put_batch(first, 10)));
  Batch trim = put_batch(31, 1);
  trim.trim_before = 21;
  ASSERT_TRUE(harness.append(trim));
  const auto gone = harness.follow(11);
  ASSERT_TRUE(harness.loop.run_until([&] { return gone->has_value(); }));
  EXPECT_EQ(gone->value().error().slug, "trimmed");
  const auto there = harness.follow(21);
  ASSERT_TRUE(harness.loop.run_until([&] { return there->has_value(); }));
  EXPECT_EQ(there->value()->front().first, 21U);
}

TEST(RocksdbLogFollow, ends_with_the_log) {
  const TempDir dir;
  LogHarness harness(dir / "data");
  const auto next = harness.follow(1);
  harness.log->close();
  harness.loop.run();
  EXPECT_FALSE(next->has_value());
}

TEST(RocksdbLogKey, is_the_one_that_was_given_and_no_other_log_is_opened_in_its_place) {
  const TempDir dir;
  const SipKey key{7, 8};
  {
    LogHarness harness(dir / "data", nullptr, 1 << 20, key);
    ASSERT_TRUE(harness.log) << harness.error;
    EXPECT_EQ(harness.log->key(), key);
  }
  LogHarness other(dir / "data", nullptr, 1 << 20, SipKey{7, 9});
  EXPECT_FALSE(other.log);
  EXPECT_THAT(other.error, HasSubstr("holds another log"));
  LogHarness again(dir / "data");
  ASSERT_TRUE(again.log) << again.error;
  EXPECT_EQ(again.log->key(), key);
}

}  // namespace
}  // namespace carillon
