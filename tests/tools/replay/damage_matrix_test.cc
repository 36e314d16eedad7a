// Each kind of file of a data directory, damaged in each way, at random places: a server that
// starts has everything right or says what it lacks, and never a wrong payload; one that refuses
// changes nothing and says how to go on; and carillon-replay tells the truth about what is lost.
// CARILLON_SEED repeats a run.
#include <iostream>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "tests/storage/damage.h"
#include "tests/support/sized.h"
#include "tools/replay/findings.h"
#include "tools/replay/rebuild.h"

namespace carillon::replay {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kSeed = 1;
constexpr TaskNumber kTasks = 400;
const std::string kBody(150, 'x');

/// A kind of file, by how its name begins and ends.
struct Kind {
  std::string where;  // "/" or "/db/"
  std::string begin;
  std::string end;
};
std::ostream& operator<<(std::ostream& out, const Kind& kind) {
  return out << kind.begin << (kind.begin.empty() ? "*" : "") << kind.end;
}

enum class Wound { flip, cut, zeros, missing };
constexpr int kWounds = 4;

/// Half of the tasks are in tables, half in the write-ahead log of a server that was killed.
void make_mixed(const std::string& dir) {
  const TempDir temp;
  const std::string data = temp / "data";
  for (const Sequence from : {Sequence{1}, kTasks / 2 + 1}) {
    LogHarness harness(data);
    ASSERT_TRUE(harness.log) << harness.error;
    for (Sequence first = from; first < from + kTasks / 2; first += 10) {
      Batch batch = put_batch(first, 10, kBody);
      batch.notes.push_back({first, Note{at_ms(5), 1, 503, "503"}});
      ASSERT_TRUE(harness.append(std::move(batch)));
    }
    if (from > 1) {
      wait_for_mark(data, kTasks);
      std::filesystem::copy(data, dir, std::filesystem::copy_options::recursive);
    }
    harness.log->close();
  }
}

class DamageMatrix : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override { set_log_level(LogLevel::off); }
  void TearDown() override { set_log_level(LogLevel::info); }

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  std::string some_file() {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(dir_ + GetParam().where)) {
      const std::string name = entry.path().filename();
      if (name.starts_with(GetParam().begin) && name.ends_with(GetParam().end) &&
          entry.is_regular_file() && entry.file_size() > 0) {
        files.push_back(entry.path());
      }
    }
    EXPECT_FALSE(files.empty());
    std::sort(files.begin(), files.end());
    return files[below(files.size())];
  }

  void wound(const std::string& path, Wound how) {
    std::string bytes = read_bytes(path);
    // Zeros ahead of a write-ahead log hold nothing that could be lost; some wounds are in them.
    const bool wal = path.ends_with(".log") && below(8) != 0;
    const std::size_t at = below(wal ? end_of_wal(path) : bytes.size());
    if (how == Wound::missing) {
      std::filesystem::remove(path);
    } else if (how == Wound::cut) {
      write_bytes(path, bytes.substr(0, at));
    } else if (how == Wound::flip) {
      bytes[at] = static_cast<char>(bytes[at] ^ 1 << below(8));
      write_bytes(path, bytes);
    } else {
      const std::size_t length = std::min(bytes.size() - at, 1 + below(512));
      write_bytes(path, bytes.replace(at, length, length, '\0'));
    }
  }

  /// What carillon-replay says on stdout is read from its JSON.
  std::string verified(Inspection& inspection, int& code) {
    ::testing::internal::CaptureStdout();
    code = verify(inspection, OutputForm::json, progress_);
    return ::testing::internal::GetCapturedStdout();
  }

  /// Tasks whose content is given up, or whose record is, according to carillon-replay.
  std::set<TaskNumber> said_lost(Inspection& inspection) {
    std::set<TaskNumber> lost;
    for (const LostRange& range : inspection.history->lost()) {
      for (Sequence at = range.first; at <= range.last; ++at) lost.insert(at);
    }
    const SavedTasks tasks = for_each_task(
        *inspection.history, *inspection.salvage, [](const Statement&) { return true; },
        [](const Statement&, const TaskContent&, std::string_view) { return true; }, {});
    for (const ContentLost& one : tasks.lost) lost.insert(one.task.number);
    return lost;
  }

  std::set<TaskNumber> rebuilt_tasks() {
    std::set<TaskNumber> numbers;
    LogHarness harness(new_dir_);
    EXPECT_TRUE(harness.log) << harness.error;
    if (!harness.log) return numbers;
    for (const Batch& batch : harness.read()) {
      for (const Record& record : batch.records) {
        if (const auto* keep = std::get_if<record::Keep>(&record)) {
          EXPECT_EQ(keep->task, statement(keep->task.number));
          numbers.insert(keep->task.number);
        }
      }
    }
    EXPECT_EQ(harness.error, "");
    for (const Fetched& fetched : harness.fetch({numbers.begin(), numbers.end()})) {
      EXPECT_EQ(fetched.content, content_row(fetched.number, kBody));
    }
    return numbers;
  }

  /// True: a server serves it whole.
  bool serve() {
    const auto before = files_of(dir_);
    LogHarness harness(dir_);
    if (!harness.log) {
      EXPECT_THAT(harness.error, HasSubstr(dir_));
      EXPECT_TRUE(files_of(dir_) == before) << "files were changed: " << harness.error;
      return false;
    }
    const auto batches = harness.read();
    if (!harness.error.empty()) {
      EXPECT_THAT(harness.error, HasSubstr("carillon-replay"));
      return false;
    }
    EXPECT_EQ(batches.size(), kTasks / 10) << "started with less than was synced";
    std::vector<TaskNumber> numbers;
    for (TaskNumber number = 1; number <= kTasks; ++number) numbers.push_back(number);
    bool whole = true;
    for (const Fetched& fetched : harness.fetch(numbers)) {
      const bool right = fetched.content == content_row(fetched.number, kBody);
      EXPECT_TRUE(right || !fetched.content || fetched.content->empty()) << "a wrong payload";
      whole = whole && right;
    }
    return whole;
  }

  void try_one(Wound how) {
    std::filesystem::remove_all(dir_);
    std::filesystem::remove_all(new_dir_);
    std::filesystem::copy(whole_, dir_, std::filesystem::copy_options::recursive);
    const std::string file = some_file();
    wound(file, how);
    SCOPED_TRACE(file + " wound " + std::to_string(static_cast<int>(how)));
    ++tried_;
    auto inspection = inspect(dir_, {}, progress_);
    if (!inspection) {
      // A format whose digit was damaged into that of a later one.
      EXPECT_EQ(GetParam().begin, "FORMAT") << inspection.error().detail;
      EXPECT_THAT(inspection.error().detail, HasSubstr("newer"));
      ++refused_;
      return;
    }
    int code = 0;
    const std::string said = verified(*inspection, code);
    const std::set<TaskNumber> lost = said_lost(*inspection);
    const bool would_start = inspection->refusal.empty();
    expect_rebuilt(*inspection, lost);
    const bool whole = serve();
    EXPECT_TRUE(whole || code == kLost) << "damage was not noticed: " << said;
    EXPECT_TRUE(would_start || !whole) << said;
    if (code == kLost) ++noticed_;
    if (!whole) ++harmed_;
    if (!lost.empty()) ++lossy_;
  }

  void expect_rebuilt(Inspection& inspection, const std::set<TaskNumber>& lost) {
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = rebuild(inspection, new_dir_, progress_);
    ::testing::internal::GetCapturedStdout();
    const std::string errors = ::testing::internal::GetCapturedStderr();
    if (code == kFailed) {
      // Without the key there is no finding a task by its id.
      EXPECT_THAT(errors, HasSubstr("key cannot be read"));
      return;
    }
    const std::set<TaskNumber> saved = rebuilt_tasks();
    for (TaskNumber number = 1; number <= kTasks; ++number) {
      EXPECT_NE(saved.contains(number), lost.contains(number)) << "task " << number;
    }
    EXPECT_EQ(code == kDone, saved.size() == kTasks) << errors;
  }

  std::mt19937_64 random_{test::seed_or(kSeed)};
  const TempDir temp_;
  const std::string whole_ = temp_ / "whole";
  const std::string dir_ = temp_ / "data";
  const std::string new_dir_ = temp_ / "new";
  ProgressLine progress_{false};
  int tried_ = 0, noticed_ = 0, harmed_ = 0, lossy_ = 0, refused_ = 0;
};

TEST_P(DamageMatrix, is_noticed_where_it_harms_and_what_is_lost_is_said) {
  ASSERT_NO_FATAL_FAILURE(make_mixed(whole_));
  const std::size_t rounds = test::sized(6, 25);
  for (std::size_t round = 0; round < rounds; ++round) {
    for (int how = 0; how < kWounds; ++how) {
      try_one(static_cast<Wound>(how));
      if (HasFailure()) FAIL() << "seed " << test::seed_or(kSeed) << " round " << round;
    }
  }
  std::cout << "[ figures  ] " << GetParam() << ": " << tried_ << " times damaged, harmed "
            << harmed_ << ", noticed by verify " << noticed_ << ", tasks lost " << lossy_
            << ", taken for a newer format " << refused_ << '\n';
}

INSTANTIATE_TEST_SUITE_P(files, DamageMatrix,
                         ::testing::Values(Kind{"/db/", "", ".log"}, Kind{"/db/", "", ".sst"},
                                           Kind{"/db/", "MANIFEST", ""},
                                           Kind{"/db/", "CURRENT", ""}, Kind{"/db/", "OPTIONS", ""},
                                           Kind{"/db/", "IDENTITY", ""}, Kind{"/", "FORMAT", ""},
                                           Kind{"/", "SYNCED", ""}));

}  // namespace
}  // namespace carillon::replay
