#include "storage/record_codec.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/bytes.h"

namespace carillon {
namespace {

using ::testing::HasSubstr;

WallTime at_ms(std::int64_t ms) {
  return WallTime(Millis(ms));
}

Statement ordinary(TaskNumber number) {
  Statement task;
  task.task = {number * 0x9e3779b97f4a7c15, 77};
  task.number = number;
  task.due = task.asked_due = at_ms(1'700'000'060'000);
  task.target = {1, 2};
  return task;
}

/// Every field at work.
std::vector<record::TargetPut> targets() {
  return {record::TargetPut{{17, 18}, "plain", 64, false, "{}"},
          record::TargetPut{{17, 18},
                            "rated",
                            64,
                            false,
                            "{}",
                            RateLimit{500, Millis(1000), 25},
                            500,
                            Millis(5),
                            true,
                            Millis(77),
                            WallTime{}},
          record::TargetPut{{17, 18}, "batched", 64, false, "{}", RateLimit{}, 500, Millis(5)},
          record::TargetPut{{17, 18},
                            "paused",
                            64,
                            true,
                            "{}",
                            RateLimit{},
                            0,
                            Millis(0),
                            false,
                            Millis(0),
                            at_ms(1'699'999'999'000)}};
}

/// Every kind of record, every field at work.
Batch everything() {
  Batch batch;
  batch.first = 41;
  batch.at = at_ms(1'700'000'000'000);
  Statement full = ordinary(900);
  full.asked_due = at_ms(1'699'999'000'000);
  full.target_is_url = true;
  full.group = {3, 4};
  full.expire_after = Millis(5000);
  full.attempt = 3;
  full.state = State::dead;
  full.finished_at = at_ms(1'700'000'000'001);
  full.redriven_at = at_ms(1'699'999'000'002);
  Statement last_attempt = ordinary(901);
  last_attempt.state = State::firing;
  last_attempt.attempt = 1;
  last_attempt.retries_cancelled = true;
  Statement in_a_lane = ordinary(902);
  in_a_lane.lane = 15;
  in_a_lane.expire_after = Millis(5);
  in_a_lane.dies_late = true;
  Statement delivered = ordinary(903);
  delivered.state = State::delivered;
  delivered.finished_at = at_ms(1'700'000'000'001);
  delivered.push = DeliveringPush(200, Millis(3'000));
  Statement same_group = ordinary(43);
  same_group.group = {3, 4};
  Statement mergeable = ordinary(904);
  mergeable.merge = {(std::uint64_t{1} << MergeRule::kPartBits) - 1, Millis(60'000)};
  const Fingerprint task{5, 6};
  batch.records = {
      record::Put{ordinary(41)},
      record::Put{full, 40},
      record::Put{same_group},
      record::Keep{full},
      record::Keep{last_attempt},
      record::Keep{in_a_lane},
      record::Keep{delivered},
      record::Keep{mergeable},
      record::Move{task, 7, at_ms(-1)},
      record::Cancel{task, 8},
      record::Fire{task, UINT64_MAX},
      record::Outcome{task, 10, State::retrying, at_ms(1'700'000'001'000)},
      record::Outcome{task, 11, State::delivered, {}},
      record::Outcome{task, 11, State::delivered, {}, DeliveringPush(204, Millis(17))},
      record::Remove{task, 12},
      record::GroupCancel{{13, 14}},
      record::GroupShift{{15, 16}, Millis(-600'000)},
      record::TargetPut{{17, 18}, "mail", 64, true, std::string("\0\1settings", 10)},
      record::TargetDelete{{19, 20}},
      record::CancelRetries{task, 13},
      record::GroupCancel{{13, 14}, {{21, 22}, 0}},
      record::GroupShift{{15, 16}, Millis(5), {{23, 24}, UINT64_MAX}},
      record::Operation{{{25, 26}, 27}, at_ms(1'699'999'999'000), 28, 29},
      record::TargetHold{
          {30, 31}, HoldReason::unavailable, at_ms(1'700'000'000'000), at_ms(1'700'000'060'000), 3},
      record::TargetRelease{{30, 31}},
      record::LanePut{15, "bulk", 8, 300},
      record::LaneDelete{15}};
  for (const record::TargetPut& target : targets()) batch.records.emplace_back(target);
  return batch;
}

std::string encoded(const Batch& batch) {
  std::string row;
  encode_batch(batch, row);
  return row;
}

std::string resealed(std::string row) {
  row.resize(row.size() - 4);
  seal_row(row);
  return row;
}

void expect_equal(const Batch& a, const Batch& b) {
  EXPECT_EQ(a.first, b.first);
  EXPECT_EQ(a.at, b.at);
  EXPECT_EQ(a.records, b.records);
}

TEST(RecordCodec, every_kind_of_record_comes_back_equal) {
  const Batch batch = everything();
  const auto decoded = decode_batch(encoded(batch));
  ASSERT_TRUE(decoded) << decoded.error().detail;
  expect_equal(*decoded, batch);
}

TEST(RecordCodec, extreme_values_come_back_equal) {
  Batch batch;
  batch.first = UINT64_MAX - 1;
  batch.at = at_ms(INT64_MIN);
  Statement task;
  task.task = {UINT64_MAX, UINT16_MAX};
  task.number = UINT64_MAX;
  task.due = at_ms(INT64_MAX);
  task.asked_due = at_ms(INT64_MIN);
  task.group = {UINT64_MAX, UINT64_MAX};
  task.expire_after = Millis(INT64_MIN);
  task.attempt = UINT32_MAX;
  task.state = State::cancelled;
  task.finished_at = at_ms(INT64_MAX);
  batch.records = {record::Put{task, UINT64_MAX}};
  const auto decoded = decode_batch(encoded(batch));
  ASSERT_TRUE(decoded) << decoded.error().detail;
  expect_equal(*decoded, batch);
}

TEST(RecordCodec, ordinary_put_in_a_batch_takes_at_most_40_bytes) {
  Batch batch;
  batch.first = 1'000'000;
  batch.at = at_ms(1'700'000'000'000);
  for (TaskNumber i = 0; i < 1000; ++i) {
    Statement task = ordinary(batch.first + i);
    task.target = {i, 1};  // none repeats
    batch.records.push_back(record::Put{task});
  }
  EXPECT_LE(encoded(batch).size() / 1000, 40U);
}

TEST(RecordCodec, repeated_target_and_group_are_not_written_again) {
  Batch one;
  one.first = 1;
  one.at = at_ms(1'700'000'000'000);
  Statement task = ordinary(1);
  task.group = {8, 9};
  one.records.push_back(record::Put{task});
  Batch two = one;
  task.number = 2;
  two.records.push_back(record::Put{task});
  EXPECT_LE(encoded(two).size() - encoded(one).size(), 25U);
  const auto decoded = decode_batch(encoded(two));
  ASSERT_TRUE(decoded);
  expect_equal(*decoded, two);
}

TEST(RecordCodec, flipped_bit_anywhere_is_refused) {
  const std::string row = encoded(everything());
  for (std::size_t bit = 0; bit < row.size() * 8; ++bit) {
    std::string damaged = row;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(decode_batch(damaged)) << bit;
  }
}

TEST(RecordCodec, row_cut_anywhere_is_refused_with_its_checksum_right) {
  const std::string row = encoded(everything());
  for (std::size_t size = 1; size + 4 < row.size(); ++size) {
    std::string cut = row.substr(0, size);
    EXPECT_FALSE(decode_batch(cut)) << size;
    seal_row(cut);
    const auto decoded = decode_batch(cut);
    ASSERT_FALSE(decoded) << size;
    EXPECT_EQ(decoded.error().slug, "storage");
    EXPECT_THAT(decoded.error().detail, HasSubstr("byte "));
  }
  EXPECT_FALSE(decode_batch(""));
}

TEST(RecordCodec, bytes_after_the_records_are_refused) {
  std::string row = encoded(everything());
  row.resize(row.size() - 4);
  row += '\x05';
  seal_row(row);
  const auto decoded = decode_batch(row);
  ASSERT_FALSE(decoded);
  EXPECT_THAT(decoded.error().detail, HasSubstr("bytes after the end"));
}

TEST(RecordCodec, newer_version_is_refused_as_such) {
  std::string row = encoded(everything());
  row[0] = 6;
  const auto decoded = decode_batch(resealed(row));
  ASSERT_FALSE(decoded);
  EXPECT_THAT(decoded.error().detail, HasSubstr("format version 6"));
}

TEST(RecordCodec, kinds_and_flags_of_version_4_are_refused_in_a_row_of_version_3) {
  Batch batch;
  batch.first = 1;
  batch.at = at_ms(1'700'000'000'000);
  Statement in_a_lane = ordinary(1);
  in_a_lane.lane = 3;
  Statement dies_late = ordinary(1);
  dies_late.expire_after = Millis(5);
  dies_late.dies_late = true;
  const Record records[] = {record::Put{in_a_lane}, record::Put{dies_late},
                            record::LanePut{3, "bulk", 8, 300}, record::LaneDelete{3}};
  for (const Record& record : records) {
    batch.records = {record};
    std::string row = encoded(batch);
    ASSERT_TRUE(decode_batch(row)) << record.index();
    row[0] = 3;
    EXPECT_FALSE(decode_batch(resealed(row))) << record.index();
  }
  batch.records = {record::Put{ordinary(1)}, record::TargetRelease{{1, 2}}};
  std::string row = encoded(batch);
  row[0] = 3;
  const auto decoded = decode_batch(resealed(row));
  ASSERT_TRUE(decoded) << decoded.error().detail;
  expect_equal(*decoded, batch);
}

TEST(RecordCodec, what_version_5_brought_is_refused_in_a_row_of_version_4) {
  Batch batch;
  batch.first = 1;
  batch.at = at_ms(1'700'000'000'000);
  record::TargetPut rated{{1, 2}, "mail", 64, false, "{}"};
  rated.rate.limit = 500;
  Statement delivered = ordinary(1);
  delivered.push = DeliveringPush(200, Millis(5));
  const record::Outcome outcome{{5, 6}, 7, State::delivered, {}, delivered.push};
  for (const Record& record :
       {Record(rated), Record(record::Keep{delivered}), Record(outcome),
        Record(record::TargetHold{{1, 2}, HoldReason::failing, batch.at, batch.at, 0})}) {
    batch.records = {record};
    std::string row = encoded(batch);
    ASSERT_TRUE(decode_batch(row)) << record.index();
    row[0] = 4;
    EXPECT_FALSE(decode_batch(resealed(row))) << record.index();
  }
}

TEST(RecordCodec, a_target_that_an_older_version_paused_is_so_since_it_was_put) {
  Batch batch;
  batch.first = 1;
  batch.at = at_ms(1'700'000'000'000);
  batch.records = {record::TargetPut{{1, 2}, "mail", 64, false, "{}"}};
  std::string row = encoded(batch);
  row[0] = 4;
  const auto paused = row.find(std::string("mail") + '\x40' + '\0');
  ASSERT_NE(paused, std::string::npos);
  row[paused + 5] = 1;
  const auto decoded = decode_batch(resealed(row));
  ASSERT_TRUE(decoded) << decoded.error().detail;
  const auto& put = std::get<record::TargetPut>(decoded->records[0]);
  EXPECT_TRUE(put.paused);
  EXPECT_EQ(put.paused_since, batch.at);
}

TEST(RecordCodec, kinds_and_flags_of_version_3_are_refused_in_a_row_of_version_2) {
  Batch batch;
  batch.first = 1;
  batch.at = at_ms(1'700'000'000'000);
  Statement redriven = ordinary(1);
  redriven.redriven_at = batch.at;
  Statement last_attempt = ordinary(1);
  last_attempt.retries_cancelled = true;
  const Record records[] = {record::Put{redriven},
                            record::Put{last_attempt},
                            record::CancelRetries{{5, 6}, 1},
                            record::GroupCancel{{1, 2}, {{3, 4}, 0}},
                            record::GroupShift{{1, 2}, Millis(1), {{3, 4}, 0}},
                            record::Operation{{{3, 4}, 0}, batch.at, 1, 0},
                            record::TargetHold{{1, 2}, {}, batch.at, batch.at, 0},
                            record::TargetRelease{{1, 2}}};
  for (const Record& record : records) {
    batch.records = {record};
    std::string row = encoded(batch);
    ASSERT_TRUE(decode_batch(row)) << record.index();
    row[0] = 2;
    EXPECT_FALSE(decode_batch(resealed(row))) << record.index();
  }
  batch.records = {record::Put{ordinary(1)}, record::GroupCancel{{1, 2}}};
  std::string row = encoded(batch);
  row[0] = 2;
  const auto decoded = decode_batch(resealed(row));
  ASSERT_TRUE(decoded) << decoded.error().detail;
  expect_equal(*decoded, batch);
}

TEST(RecordCodec, version_1_is_read_without_the_digests_that_it_had) {
  Batch batch;
  batch.first = 1;
  batch.at = at_ms(1'700'000'000'000);
  batch.records = {record::Put{ordinary(1)}, record::Put{ordinary(2)},
                   record::Cancel{ordinary(1).task, 1}};
  std::string row = encoded(batch);
  row[0] = 1;
  // Header 9; kind, flags, task; target of the first; the second is shorter by it.
  constexpr std::size_t kFirst = 1 + 1 + 1 + 6 + 12;
  constexpr std::size_t kSecond = kFirst + 3 + 16 + 12;
  row.insert(kSecond, "second");
  row.insert(kFirst, "first.");
  const auto decoded = decode_batch(resealed(row));
  ASSERT_TRUE(decoded) << decoded.error().detail;
  expect_equal(*decoded, batch);
}

TEST(RecordCodec, count_beyond_the_row_is_refused_without_reserving_for_it) {
  std::string row;
  ByteWriter out(row);
  out.u8(1);
  out.varint(1);
  out.varint(UINT64_MAX);
  out.zigzag(0);
  seal_row(row);
  EXPECT_FALSE(decode_batch(row));
}

/// Whatever the bytes, decoding ends without a crash, and what is accepted encodes to the same
/// bytes. The checksum is made right each time, or it would be all that is tested.
TEST(RecordCodec, mutated_rows_are_refused_or_encode_to_the_same_bytes) {
  std::mt19937 random(20261121);
  const std::string row = encoded(everything());
  int accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string mutated = row;
    const int changes = 1 + static_cast<int>(random() % 3);
    for (int i = 0; i < changes; ++i) {
      const std::size_t at = random() % (mutated.size() - 4);
      switch (random() % 4) {
        case 0:
          mutated[at] = static_cast<char>(random());
          break;
        case 1:
          mutated[at] = static_cast<char>(mutated[at] ^ (1 << random() % 8));
          break;
        case 2:
          mutated.erase(at, 1 + random() % 8);
          break;
        default:
          mutated.insert(at, 1 + random() % 4, static_cast<char>(random()));
          break;
      }
      if (mutated.size() < 6) mutated = row;
    }
    mutated = resealed(mutated);
    const auto decoded = decode_batch(mutated);
    if (!decoded || mutated[0] != row[0]) continue;  // an older version is read, and not written
    ++accepted;
    ASSERT_EQ(encoded(*decoded), mutated) << "round " << round;
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace carillon
