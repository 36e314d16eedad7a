#include "storage/jetstream/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/storage/log_fixture.h"

namespace carillon {
namespace {

using ::testing::HasSubstr;

const Genesis kGenesis{{1, 2}, {3, 4}};

StreamMessage full_batch() {
  StreamMessage message;
  message.cluster = kGenesis.cluster;
  message.epoch = 3;
  message.nonce = {5, 6};
  message.previous = {7, 8};
  message.batch = put_batch(100, 3);
  message.batch.notes.push_back({100, Note{at_ms(5), 1, 503, "503"}});
  message.batch.forgotten = {1, 2, 90};
  message.batch.trim_before = 50;
  message.contents_before = 2;
  return message;
}

TEST(StreamMessage, comes_back_as_it_was) {
  const std::string bytes = encode_message(full_batch());
  const auto message = decode_message(bytes);
  ASSERT_TRUE(message) << message.error().detail;
  EXPECT_EQ(encode_message(*message), bytes);
  EXPECT_EQ(message->epoch, 3U);
  EXPECT_EQ(message->batch.records, full_batch().batch.records);
  EXPECT_EQ(message->batch.contents.size(), 3U);
  EXPECT_EQ(message->batch.notes[0].note.error, "503");
  EXPECT_EQ(message->batch.forgotten, full_batch().batch.forgotten);
  EXPECT_EQ(message->batch.trim_before, 50U);
  EXPECT_EQ(message->contents_before, 2U);
}

TEST(StreamMessage, of_each_kind_comes_back) {
  StreamMessage take_over;
  take_over.kind = StreamMessage::Kind::take_over;
  take_over.epoch = 4;
  take_over.incarnation = {9, 10};
  take_over.batch.at = at_ms(12);
  const auto taken = decode_message(encode_message(take_over));
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->incarnation, take_over.incarnation);
  EXPECT_EQ(taken->batch.at, at_ms(12));
  StreamMessage contents = full_batch();
  contents.kind = StreamMessage::Kind::contents;
  const auto restated = decode_message(encode_message(contents));
  ASSERT_TRUE(restated);
  EXPECT_EQ(restated->batch.contents.size(), 3U);
  EXPECT_TRUE(restated->batch.records.empty());
  StreamMessage time_alone;
  time_alone.batch.at = at_ms(99);
  const auto time = decode_message(encode_message(time_alone));
  ASSERT_TRUE(time);
  EXPECT_EQ(time->batch.at, at_ms(99));
}

TEST(StreamMessage, that_was_cut_or_changed_is_refused) {
  const std::string bytes = encode_message(full_batch());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_message(std::string_view(bytes).substr(0, size))) << size;
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(decode_message(changed)) << at;
  }
}

TEST(StreamMessage, counts_behind_the_one_whose_hash_it_names) {
  StreamMessage message = full_batch();
  const StreamPosition at{10, message.previous, message.epoch, 0};
  EXPECT_EQ(check_next(kGenesis, at, 11, message).value(), true);
  message.previous = {1, 1};
  const auto broken = check_next(kGenesis, at, 11, message);
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().detail, HasSubstr("the chain is broken"));
}

TEST(StreamMessage, of_an_older_epoch_does_not_count_whatever_it_hangs_on) {
  StreamMessage message = full_batch();
  message.previous = {1, 1};
  EXPECT_EQ(check_next(kGenesis, {10, {7, 8}, 4, 0}, 11, message).value(), false);
}

TEST(StreamMessage, of_a_newer_epoch_has_to_be_a_take_over) {
  StreamMessage message = full_batch();
  const StreamPosition at{10, message.previous, 2, 0};
  EXPECT_FALSE(check_next(kGenesis, at, 11, message));
  message.kind = StreamMessage::Kind::take_over;
  EXPECT_EQ(check_next(kGenesis, at, 11, message).value(), true);
  message.epoch = 4;
  EXPECT_FALSE(check_next(kGenesis, at, 11, message));
}

TEST(StreamMessage, of_another_cluster_is_refused) {
  const StreamMessage message = full_batch();
  const auto refused = check_next({{2, 2}, {3, 4}}, {10, {7, 8}, 3, 0}, 11, message);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("is of the cluster"));
}

}  // namespace
}  // namespace carillon
