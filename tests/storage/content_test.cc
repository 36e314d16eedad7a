#include "storage/content.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/bytes.h"
#include "storage/note.h"

namespace carillon {
namespace {

using ::testing::HasSubstr;

constexpr SipKey kKey{1, 2};

TaskContent full() {
  TaskContent content;
  content.id = "user-1:coupon-2";
  content.target = "https://example.com/hook?x=1";
  content.group = "coupon-2";
  content.lane = "bulk";
  content.key = "orders.eu";
  content.body = std::string_view("{\"a\":\0}", 7);
  content.content_type = "application/json";
  content.body_is_json = true;
  content.headers = {{"x-one", "1"}, {"x-two", ""}};
  content.expire_after = Millis(90'000);
  content.retry = RetryChoice{3, Millis(10), Millis(20'000), Millis(90'000'000)};
  content.redriven_at = WallTime(Millis(1'700'000'200'000));
  content.changed_at = WallTime(Millis(1'700'000'100'000));
  content.due_at = WallTime(Millis(1'700'000'090'000));
  content.created_at = WallTime(Millis(1'700'000'000'123));
  content.webhook_id = "msg_2f";
  content.attempts_before = 8;
  return content;
}

void expect_equal(const TaskContent& a, const TaskContent& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.target, b.target);
  EXPECT_EQ(a.group, b.group);
  EXPECT_EQ(a.lane, b.lane);
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.body, b.body);
  EXPECT_EQ(a.content_type, b.content_type);
  EXPECT_EQ(a.body_is_json, b.body_is_json);
  ASSERT_EQ(a.headers.size(), b.headers.size());
  for (std::size_t i = 0; i < a.headers.size(); ++i) {
    EXPECT_EQ(a.headers[i].name, b.headers[i].name);
    EXPECT_EQ(a.headers[i].value, b.headers[i].value);
  }
  EXPECT_EQ(a.expire_after, b.expire_after);
  EXPECT_EQ(a.retry, b.retry);
  EXPECT_EQ(a.delay, b.delay);
  EXPECT_EQ(a.due_at, b.due_at);
  EXPECT_EQ(a.redriven_at, b.redriven_at);
  EXPECT_EQ(a.changed_at, b.changed_at);
  EXPECT_EQ(a.created_at, b.created_at);
  EXPECT_EQ(a.webhook_id, b.webhook_id);
  EXPECT_EQ(a.attempts_before, b.attempts_before);
}

TEST(Content, full_and_empty_content_come_back_equal) {
  for (const TaskContent& content : {full(), TaskContent()}) {
    const std::string row = encode_content(content);
    const auto decoded = decode_content(row);
    ASSERT_TRUE(decoded) << decoded.error().detail;
    expect_equal(*decoded, content);
  }
}

TEST(Content, decoded_views_point_into_the_row) {
  const std::string row = encode_content(full());
  const auto decoded = decode_content(row);
  ASSERT_TRUE(decoded);
  EXPECT_GE(decoded->body.data(), row.data());
  EXPECT_LE(decoded->body.data() + decoded->body.size(), row.data() + row.size());
}

TEST(Content, flipped_bit_anywhere_is_refused) {
  const std::string row = encode_content(full());
  for (std::size_t bit = 0; bit < row.size() * 8; ++bit) {
    std::string damaged = row;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto decoded = decode_content(damaged);
    ASSERT_FALSE(decoded) << bit;
    EXPECT_EQ(decoded.error().slug, "storage");
  }
}

TEST(Content, empty_row_is_refused) {
  EXPECT_FALSE(decode_content(""));
}

TEST(Content, mutated_rows_are_refused_or_encode_to_the_same_bytes) {
  std::mt19937 random(20261121);
  const std::string row = encode_content(full());
  int accepted = 0;
  for (int round = 0; round < 100'000; ++round) {
    std::string mutated = row.substr(0, row.size() - 4);
    const std::size_t at = random() % mutated.size();
    switch (random() % 3) {
      case 0:
        mutated[at] = static_cast<char>(random());
        break;
      case 1:
        mutated.erase(at, 1 + random() % 8);
        break;
      default:
        mutated.insert(at, 1 + random() % 4, static_cast<char>(random()));
        break;
    }
    seal_row(mutated);
    const auto decoded = decode_content(mutated);
    if (!decoded || mutated[0] != row[0]) continue;  // an older version is read, and not written
    ++accepted;
    ASSERT_EQ(encode_content(*decoded), mutated) << "round " << round;
  }
  EXPECT_GT(accepted, 1000);
}

TEST(Choices, are_the_same_whoever_stamped_them_and_whenever_they_are_due) {
  TaskContent other = full();
  other.created_at = {};
  other.changed_at.reset();
  other.webhook_id = "msg_other";
  other.attempts_before = 0;
  other.delay = Millis(1);
  other.due_at.reset();
  EXPECT_TRUE(same_choices(full(), other));
}

TEST(Choices, each_of_them_counts) {
  const auto changed = [&](auto change) {
    TaskContent content = full();
    change(content);
    return !same_choices(full(), content);
  };
  EXPECT_TRUE(changed([](auto& c) { c.id = "other"; }));
  EXPECT_TRUE(changed([](auto& c) { c.target = "other"; }));
  EXPECT_TRUE(changed([](auto& c) { c.group = {}; }));
  EXPECT_TRUE(changed([](auto& c) { c.lane = {}; }));
  EXPECT_TRUE(changed([](auto& c) { c.key = {}; }));
  EXPECT_TRUE(changed([](auto& c) { c.body = {}; }));
  EXPECT_TRUE(changed([](auto& c) { c.content_type = "text/plain"; }));
  EXPECT_TRUE(changed([](auto& c) { c.body_is_json = !c.body_is_json; }));
  EXPECT_TRUE(changed([](auto& c) { c.headers.pop_back(); }));
  EXPECT_TRUE(changed([](auto& c) { c.expire_after.reset(); }));
  EXPECT_TRUE(changed([](auto& c) { c.retry->max_attempts = 4; }));
}

TEST(Content, of_version_1_has_a_whole_retry_policy_and_no_redrive) {
  TaskContent content = full();
  content.redriven_at.reset();
  content.changed_at.reset();
  content.key = {};
  content.retry = RetryChoice{3, Millis(10), Millis(20'000), std::nullopt};
  std::string row = encode_content(content);
  row.resize(row.size() - 4);
  row[0] = 1;
  // expire_after, 90000 ms, is followed by which parts of the policy there are.
  const std::size_t at = row.find("\xa0\xfe\x0a\x07") + 3;
  ASSERT_LT(at, row.size());
  row.erase(at, 1);
  seal_row(row);
  const auto decoded = decode_content(row);
  ASSERT_TRUE(decoded) << decoded.error().detail;
  expect_equal(*decoded, content);
}

TEST(Content, of_version_3_knows_of_no_key) {
  const auto of_version_3 = [](const TaskContent& content) {
    std::string row = encode_content(content);
    row.resize(row.size() - 4);
    row[0] = 3;
    seal_row(row);
    return row;
  };
  EXPECT_FALSE(decode_content(of_version_3(full())));
  TaskContent content = full();
  content.key = {};
  content.changed_at.reset();
  content.merge_within.reset();
  const std::string row = of_version_3(content);
  const auto decoded = decode_content(row);
  ASSERT_TRUE(decoded) << decoded.error().detail;
  expect_equal(*decoded, content);
}

TEST(Content, any_part_of_a_retry_policy_comes_back_alone) {
  for (int which = 0; which < 16; ++which) {
    TaskContent content = full();
    content.retry.emplace();
    if ((which & 1) != 0) content.retry->max_attempts = 3;
    if ((which & 2) != 0) content.retry->backoff_min = Millis(1);
    if ((which & 4) != 0) content.retry->backoff_max = Millis(2);
    if ((which & 8) != 0) content.retry->max_age = Millis(3);
    const std::string row = encode_content(content);
    const auto decoded = decode_content(row);
    ASSERT_TRUE(decoded) << decoded.error().detail;
    EXPECT_EQ(decoded->retry, content.retry) << which;
  }
}

TEST(NoteRow, of_version_1_began_with_its_attempt) {
  std::string row = encode_note({WallTime(Millis(5)), 3, 503, "503", WallTime{}, 0});
  // Its last bytes before the checksum are newer: the first attempt and how many do not count, of
  // version 2, for how long its target was paused, of version 3, and its attempts, of version 4.
  row.resize(row.size() - 4 - 3 - 4);
  row[0] = 1;
  seal_row(row);
  const auto decoded = decode_note(row);
  ASSERT_TRUE(decoded) << decoded.error().detail;
  EXPECT_EQ(*decoded, (Note{WallTime(Millis(5)), 3, 503, "503", WallTime(Millis(5)), 0}));
}

TEST(NoteRow, of_version_2_knows_of_no_pause) {
  Note note{WallTime(Millis(5)), 3, 503, "503", WallTime(Millis(4)), 2};
  std::string row = encode_note(note);
  row.resize(row.size() - 4 - 1 - 4);
  row[0] = 2;
  seal_row(row);
  const auto decoded = decode_note(row);
  ASSERT_TRUE(decoded) << decoded.error().detail;
  EXPECT_EQ(*decoded, note);
  note.paused_for = std::chrono::hours(5);
  EXPECT_EQ(*decode_note(encode_note(note)), note);
}

TEST(NoteRow, of_version_3_knows_of_one_attempt) {
  Note note{WallTime(Millis(5)), 3, 503, "503", WallTime(Millis(4)), 2};
  note.paused_for = Millis(7);
  std::string row = encode_note(note);
  row.resize(row.size() - 4 - 4);
  row[0] = 3;
  seal_row(row);
  const auto decoded = decode_note(row);
  ASSERT_TRUE(decoded) << decoded.error().detail;
  EXPECT_EQ(*decoded, note);
}

TEST(NoteRow, has_the_attempts_before_and_no_more_than_are_kept) {
  Note note{WallTime(Millis(500)), 30, 0, "no connection", WallTime(Millis(4)), 2};
  note.late = Millis(-1);
  note.took = Millis(15'000);
  note.retry_at = WallTime(Millis(60'000));
  for (std::uint32_t i = 0; i < Note::kAttemptsBefore; ++i) {
    note.before.push_back(
        {WallTime(Millis(i)), i, 500 + i, std::string(i, 'e'), Millis(2 * i), Millis(i)});
  }
  EXPECT_EQ(*decode_note(encode_note(note)), note);
  note.before.emplace_back();
  EXPECT_FALSE(decode_note(encode_note(note)));
}

TEST(DueAsked, is_the_same_only_in_the_same_words) {
  TaskContent delay;
  delay.delay = Millis(1000);
  TaskContent moment;
  moment.due_at = WallTime(Millis(1000));
  EXPECT_TRUE(same_due_asked(delay, delay));
  EXPECT_TRUE(same_due_asked(moment, moment));
  EXPECT_FALSE(same_due_asked(delay, moment));
  EXPECT_FALSE(same_due_asked(delay, {}));
  EXPECT_FALSE(same_due_asked({}, {})) << "nobody asked";
  TaskContent later = delay;
  later.delay = Millis(1001);
  EXPECT_FALSE(same_due_asked(delay, later));
}

TEST(NoteRow, comes_back_equal_and_refuses_damage) {
  const Note note{WallTime(Millis(1'700'000'000'123)), 3, 503, "503 Service Unavailable",
                  WallTime(Millis(1'699'999'000'000)), 2};
  const std::string row = encode_note(note);
  const auto decoded = decode_note(row);
  ASSERT_TRUE(decoded) << decoded.error().detail;
  EXPECT_EQ(*decoded, note);
  for (std::size_t i = 0; i < row.size(); ++i) {
    std::string damaged = row;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    EXPECT_FALSE(decode_note(damaged)) << i;
  }
}

}  // namespace
}  // namespace carillon
