// carillon-replay on sound and on damaged directories. DIR is never changed.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/storage/damage.h"
#include "tools/load/receiver.h"
#include "tools/replay/export.h"
#include "tools/replay/findings.h"
#include "tools/replay/rebuild.h"

namespace carillon::replay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class Replay : public ::testing::Test {
 protected:
  void SetUp() override {
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
  }
  void TearDown() override {
    ::testing::internal::GetCapturedStdout();
    ::testing::internal::GetCapturedStderr();
  }

  /// What was printed since the last call.
  std::string out() {
    std::string text = ::testing::internal::GetCapturedStdout();
    ::testing::internal::CaptureStdout();
    return text;
  }

  Inspection inspected(const Until& until = {}) {
    const auto before = files_of(dir_);
    auto inspection = inspect(dir_, until, progress_);
    EXPECT_TRUE(inspection) << (inspection ? "" : inspection.error().detail);
    EXPECT_TRUE(files_of(dir_) == before) << "the directory was changed";
    return std::move(*inspection);
  }

  int run_verify(OutputForm form = OutputForm::text) {
    Inspection inspection = inspected();
    return verify(inspection, form, progress_);
  }

  int run_rebuild(const Until& until = {}) {
    Inspection inspection = inspected(until);
    std::filesystem::remove_all(new_dir_);
    return rebuild(inspection, new_dir_, progress_);
  }

  /// Numbers of the tasks in the rebuilt directory, as a server finds them; their contents are
  /// right.
  std::vector<TaskNumber> rebuilt_tasks(std::string_view body = "hello") {
    std::vector<TaskNumber> numbers;
    LogHarness harness(new_dir_);
    EXPECT_TRUE(harness.log) << harness.error;
    if (!harness.log) return numbers;
    for (const Batch& batch : harness.read()) {
      for (const Record& record : batch.records) {
        const auto* keep = std::get_if<record::Keep>(&record);
        if (keep != nullptr) numbers.push_back(keep->task.number);
      }
    }
    EXPECT_EQ(harness.error, "");
    for (const Fetched& fetched : harness.fetch(numbers)) {
      EXPECT_EQ(fetched.content, content_row(fetched.number, body));
    }
    return numbers;
  }

  const TempDir temp_;
  const std::string dir_ = temp_ / "data";
  const std::string new_dir_ = temp_ / "new";
  ProgressLine progress_{false};
};

TEST_F(Replay, crashed_directory_is_sound) {
  make_crashed(dir_, 20);
  EXPECT_EQ(run_verify(), kDone);
  EXPECT_THAT(out(), AllOf(HasSubstr("sequences 1 to 200 in 20 batches"), HasSubstr("sound"),
                           HasSubstr("would start on it")));
}

TEST_F(Replay, stopped_directory_is_sound_and_json_says_so) {
  make_stopped(dir_, 20);
  EXPECT_EQ(run_verify(OutputForm::json), kDone);
  EXPECT_THAT(out(), AllOf(HasSubstr("\"sound\":true"), HasSubstr("\"lost_sequences\":[]"),
                           HasSubstr("\"synced_sequence\":200")));
}

TEST_F(Replay, torn_end_that_was_never_synced_is_sound) {
  make_crashed(dir_, 20);
  const std::string wal = largest(dir_ + "/db", ".log");
  trim_wal(wal);
  const std::string whole = read_bytes(wal);
  write_bytes(wal, whole + whole.substr(whole.size() - 300, 150));
  EXPECT_EQ(run_verify(), kDone);
  EXPECT_THAT(out(), HasSubstr("torn end"));
}

TEST_F(Replay, damaged_commit_is_lost_alone_and_the_rest_is_rebuilt) {
  make_crashed(dir_, 20);
  const std::string wal = largest(dir_ + "/db", ".log");
  flip_bit(wal, end_of_wal(wal) / 2);
  EXPECT_EQ(run_verify(OutputForm::json), kLost);
  const std::string found = out();
  EXPECT_THAT(found, AllOf(HasSubstr("\"sound\":false"), HasSubstr("\"server_would_start\":false"),
                           Not(HasSubstr("\"lost_sequences\":[]"))));
  EXPECT_EQ(run_rebuild(), kLost);
  const auto numbers = rebuilt_tasks();
  EXPECT_THAT(numbers, SizeIs(190));
  const Inspection inspection = inspected();
  ASSERT_THAT(inspection.history->lost(), SizeIs(1));
  const LostRange lost = inspection.history->lost()[0];
  EXPECT_EQ(lost.last - lost.first + 1, 10U);
  for (const TaskNumber number : numbers) EXPECT_TRUE(number < lost.first || number > lost.last);
}

TEST_F(Replay, cut_log_is_lost_up_to_the_mark) {
  make_crashed(dir_, 20);
  const std::string wal = largest(dir_ + "/db", ".log");
  std::filesystem::resize_file(wal, end_of_wal(wal) - 1);
  EXPECT_EQ(run_verify(), kLost);
  EXPECT_THAT(out(), HasSubstr("sequences 191 to 200"));
  EXPECT_EQ(run_rebuild(), kLost);
  EXPECT_THAT(rebuilt_tasks(), SizeIs(190));
}

TEST_F(Replay, rebuilt_directory_goes_on_above_all_sequences_and_is_sound) {
  make_crashed(dir_, 20);
  ASSERT_EQ(run_rebuild(), kDone);
  {
    LogHarness harness(new_dir_);
    ASSERT_TRUE(harness.log) << harness.error;
    const auto batches = harness.read();
    ASSERT_FALSE(batches.empty());
    EXPECT_EQ(batches.front().first, 201U);
    EXPECT_TRUE(harness.append(put_batch(batches.back().last() + 1, 1)));
  }
  auto inspection = inspect(new_dir_, {}, progress_);
  ASSERT_TRUE(inspection);
  EXPECT_EQ(verify(*inspection, OutputForm::text, progress_), kDone);
}

TEST_F(Replay, missing_current_and_manifest_lose_nothing) {
  make_stopped(dir_, 20);
  std::filesystem::remove(dir_ + "/db/CURRENT");
  for (const auto& entry : std::filesystem::directory_iterator(dir_ + "/db")) {
    if (entry.path().filename().string().starts_with("MANIFEST")) {
      std::filesystem::remove(entry.path());
    }
  }
  EXPECT_EQ(run_verify(), kLost);
  EXPECT_THAT(out(), HasSubstr("would not start"));
  EXPECT_EQ(run_rebuild(), kDone);
  EXPECT_THAT(rebuilt_tasks(), SizeIs(200));
}

TEST_F(Replay, damaged_tables_cost_only_the_rows_in_their_damaged_blocks) {
  const std::string body(500, 'x');
  make_stopped(dir_, 100, body);
  const std::string table = largest(dir_ + "/db", ".sst");
  flip_bit(table, std::filesystem::file_size(table) / 3);
  EXPECT_EQ(run_verify(), kLost);
  EXPECT_THAT(out(), AllOf(HasSubstr("damaged"), HasSubstr("block checksum mismatch")));
  EXPECT_EQ(run_rebuild(), kLost);
  const auto numbers = rebuilt_tasks(body);
  EXPECT_GT(numbers.size(), 800U);
  EXPECT_LT(numbers.size(), 1000U);
}

TEST_F(Replay, lost_table_is_told_by_the_tasks_without_content) {
  make_stopped(dir_, 20, std::string(500, 'x'));
  std::filesystem::remove(largest(dir_ + "/db", ".sst"));  // that of the contents
  EXPECT_EQ(run_verify(OutputForm::json), kLost);
  EXPECT_THAT(out(), AllOf(HasSubstr("\"why\":\"missing\""), HasSubstr("\"contents\":0")));
}

TEST_F(Replay, summary_counts_tasks_as_the_shard_does) {
  {
    LogHarness harness(dir_);
    ASSERT_TRUE(harness.append(put_batch(1, 10)));
    Batch batch;
    batch.first = 11;
    batch.at = at_ms(1'700'000'000'500);
    batch.records = {record::Cancel{statement(3).task, 3}, record::Fire{statement(4).task, 4},
                     record::TargetPut{{1, 2}, "mail", 8, true, "{}"}};
    ASSERT_TRUE(harness.append(batch));
  }
  Inspection inspection = inspected();
  EXPECT_EQ(summarize(inspection, OutputForm::json), kDone);
  EXPECT_THAT(out(),
              AllOf(HasSubstr("\"scheduled\":8,\"firing\":1"), HasSubstr("\"cancelled\":1"),
                    HasSubstr("\"name\":\"mail\",\"paused\":true"), HasSubstr("\"put\":10")));
}

TEST_F(Replay, export_writes_pending_tasks_as_lines_that_can_be_added_again) {
  {
    LogHarness harness(dir_);
    ASSERT_TRUE(harness.append(put_batch(1, 3)));
    Batch batch;
    batch.first = 4;
    batch.at = at_ms(1'700'000'000'500);
    batch.records = {record::Cancel{statement(2).task, 2}};
    ASSERT_TRUE(harness.append(batch));
  }
  Inspection inspection = inspected();
  EXPECT_EQ(export_tasks(inspection, temp_ / "tasks.ndjson", progress_), kDone);
  EXPECT_EQ(read_bytes(temp_ / "tasks.ndjson"),
            "{\"id\":\"task-1\",\"due_at\":\"2023-11-14T22:14:20.000Z\",\"target\":\"mail\","
            "\"body\":\"hello\",\"content_type\":\"text/plain\"}\n"
            "{\"id\":\"task-3\",\"due_at\":\"2023-11-14T22:14:20.000Z\",\"target\":\"mail\","
            "\"body\":\"hello\",\"content_type\":\"text/plain\"}\n");
}

TEST_F(Replay, posting_to_what_is_no_server_fails_and_says_that_it_may_be_repeated) {
  make_stopped(dir_, 1);
  Inspection inspection = inspected();
  auto receiver = load::Receiver::start({});
  ASSERT_TRUE(receiver);
  EXPECT_EQ(post_tasks(inspection, {(*receiver)->url(), "", ""}, progress_), kFailed);
  EXPECT_EQ(post_tasks(inspection, {(*receiver)->url(), temp_ / "no-token", ""}, progress_),
            kFailed);
  const std::string url = (*receiver)->url();
  receiver->reset();
  EXPECT_EQ(post_tasks(inspection, {url, "", ""}, progress_), kFailed);
  EXPECT_EQ(post_tasks(inspection, {"ftp://x", "", ""}, progress_), kFailed);
  const std::string said = ::testing::internal::GetCapturedStderr();
  ::testing::internal::CaptureStderr();
  EXPECT_THAT(said, AllOf(HasSubstr("is it a Carillon server"), HasSubstr("adds nothing twice"),
                          HasSubstr("no token in it")));
}

TEST_F(Replay, until_stops_at_a_sequence_or_a_time) {
  make_crashed(dir_, 20);
  Until until;
  until.sequence = 25;
  ASSERT_EQ(run_rebuild(until), kDone);
  EXPECT_THAT(rebuilt_tasks(), SizeIs(25));
  until = {};
  until.time = at_ms(1'700'000'000'000 + 41);  // batches are sealed at that plus their first
  ASSERT_EQ(run_rebuild(until), kDone);
  EXPECT_THAT(rebuilt_tasks(), SizeIs(50));
  until.time = at_ms(0);
  const auto too_early = inspect(dir_, until, progress_);
  ASSERT_FALSE(too_early);
  EXPECT_THAT(too_early.error().detail, HasSubstr("nothing of the log"));
}

TEST_F(Replay, until_is_read_as_a_sequence_or_a_time) {
  EXPECT_EQ(parse_until("42")->sequence, 42U);
  EXPECT_EQ(parse_until("2023-11-14T22:13:20Z")->time, at_ms(1'700'000'000'000));
  EXPECT_FALSE(parse_until("tomorrow"));
  EXPECT_FALSE(parse_until("")->given());
}

TEST_F(Replay, rebuilding_into_an_existing_directory_is_refused) {
  make_stopped(dir_, 1);
  std::filesystem::create_directory(new_dir_);
  Inspection inspection = inspected();
  EXPECT_EQ(rebuild(inspection, new_dir_, progress_), kFailed);
}

TEST_F(Replay, newer_format_and_no_directory_are_refused) {
  EXPECT_FALSE(inspect(dir_, {}, progress_));
  make_stopped(dir_, 1);
  write_bytes(dir_ + "/FORMAT", "Carillon data directory, format 9\n");
  const auto newer = inspect(dir_, {}, progress_);
  ASSERT_FALSE(newer);
  EXPECT_THAT(newer.error().detail, HasSubstr("newer Carillon"));
}

TEST_F(Replay, directory_in_use_by_another_process_is_refused) {
  make_stopped(dir_, 1);
  int locked[2];
  int release[2];
  ASSERT_EQ(::pipe(locked), 0);
  ASSERT_EQ(::pipe(release), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const int file = ::open((dir_ + "/LOCK").c_str(), O_RDWR);
    struct flock lock{};
    lock.l_type = F_WRLCK;
    char byte = ::fcntl(file, F_SETLK, &lock) == 0 ? 'y' : 'n';
    static_cast<void>(!::write(locked[1], &byte, 1));
    ::close(release[1]);
    static_cast<void>(!::read(release[0], &byte, 1));
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(locked[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  const auto inspection = inspect(dir_, {}, progress_);
  ::close(release[1]);
  ::waitpid(child, nullptr, 0);
  for (const int end : {locked[0], locked[1], release[0]}) ::close(end);
  ASSERT_FALSE(inspection);
  EXPECT_THAT(inspection.error().detail, HasSubstr(std::to_string(child) + " runs on it"));
}

}  // namespace
}  // namespace carillon::replay
