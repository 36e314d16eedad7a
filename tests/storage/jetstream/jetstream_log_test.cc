#include "storage/jetstream/jetstream_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/storage/jetstream/nats_servers.h"
#include "tests/storage/jetstream/node.h"
#include "tests/storage/jetstream/proxy.h"
#include "tests/storage/jetstream/stream_test.h"

namespace carillon {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class JetstreamLogTest : public StreamTest<1> {
 protected:
  /// The stream's first and last message.
  [[nodiscard]] static StreamExtent extent() {
    return JetstreamClient::connect({.servers = servers_->urls()}).value()->extent(stream_).value();
  }
};

TEST_F(JetstreamLogTest, what_was_appended_is_read_by_a_node_that_has_nothing) {
  Batch batch = put_batch(1, 3);
  batch.notes.push_back({2, Note{at_ms(5), 1, 503, "503"}});
  {
    Node owner(options("a"));
    ASSERT_TRUE(owner.log) << owner.error;
    EXPECT_THAT(owner.read(), SizeIs(0));
    ASSERT_TRUE(owner.own()) << owner.error;
    EXPECT_EQ(owner.append(batch), Appended::committed);
    EXPECT_EQ(owner.content(2), content_row(2, "hello"));
    Batch time_alone;
    time_alone.at = at_ms(1'800'000'000'000);
    EXPECT_EQ(owner.append(time_alone), Appended::committed);
  }
  Node other(options("b"));
  ASSERT_TRUE(other.log) << other.error;
  const auto batches = other.read();
  ASSERT_EQ(other.error, "");
  ASSERT_THAT(batches, SizeIs(2));
  EXPECT_EQ(batches[0].records, batch.records);
  EXPECT_EQ(batches[0].at, batch.at);
  EXPECT_EQ(batches[1].at, at_ms(1'800'000'000'000));
  EXPECT_EQ(other.content(3), content_row(3, "hello"));
  EXPECT_EQ(other.log->key(), kGenesis.key);
}

TEST_F(JetstreamLogTest, a_restart_goes_on_from_its_mirror) {
  {
    Node owner(options("a"));
    ASSERT_TRUE(owner.own()) << owner.error;
    ASSERT_EQ(owner.append_puts(2), Appended::committed);
  }
  Node again(options("a"));
  EXPECT_THAT(again.read(), SizeIs(1));
  ASSERT_TRUE(again.own()) << again.error;
  EXPECT_EQ(again.append_puts(), Appended::committed);
  Node other(options("b"));
  EXPECT_THAT(other.read(), SizeIs(2));
  EXPECT_EQ(other.next, 4U);
}

TEST_F(JetstreamLogTest, a_follower_hears_of_each_batch_and_can_take_over) {
  Node owner(options("a"));
  Node follower(options("b"));
  ASSERT_TRUE(owner.own()) << owner.error;
  EXPECT_THAT(follower.read(), SizeIs(1));  // the time of the take-over
  EXPECT_EQ(follower.next, 1U);
  for (Sequence first = 1; first <= 5; ++first) {
    const auto coming = follower.follow(first);
    ASSERT_EQ(owner.append_puts(), Appended::committed);
    const auto batches = follower.wait(coming);
    ASSERT_TRUE(batches && *batches);
    ASSERT_THAT(**batches, SizeIs(1));
    EXPECT_EQ((*batches)->front().first, first);
    EXPECT_EQ(follower.content(first), content_row(first, "hello"));
    follower.next = first + 1;
  }
  EXPECT_EQ(follower.wait(follower.begin_take_over()), Appended::committed);
  EXPECT_EQ(follower.append_puts(), Appended::committed);
  EXPECT_EQ(owner.append_puts(), Appended::fenced);
}

TEST_F(JetstreamLogTest, of_two_that_take_over_at_once_one_succeeds) {
  Node a(options("a"));
  Node b(options("b"));
  for (int round = 0; round < 20; ++round) {
    static_cast<void>(a.read());
    static_cast<void>(b.read());
    const auto of_a = a.begin_take_over();
    const auto of_b = b.begin_take_over();
    const bool a_owns = a.wait(of_a) == Appended::committed;
    const bool b_owns = b.wait(of_b) == Appended::committed;
    ASSERT_NE(a_owns, b_owns);
    EXPECT_EQ((a_owns ? a : b).append_puts(), Appended::committed);
  }
  EXPECT_THAT(a.read(), SizeIs(20));
}

TEST_F(JetstreamLogTest, an_append_and_a_take_over_at_once_have_one_winner) {
  Node owner(options("a"));
  Node other(options("b"));
  int taken_over = 0;
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(owner.own()) << owner.error;
    static_cast<void>(other.read());
    const auto appending = owner.begin_append(put_batch(owner.next, 1));
    const auto taking_over = other.begin_take_over();
    const bool appended = owner.wait(appending) == Appended::committed;
    const bool taken = other.wait(taking_over) == Appended::committed;
    ASSERT_NE(appended, taken);
    taken_over += taken ? 1 : 0;
  }
  static_cast<void>(owner.read());
  EXPECT_EQ(owner.next, 21U - static_cast<Sequence>(taken_over));
}

TEST_F(JetstreamLogTest, an_owner_that_was_taken_over_from_is_fenced_and_can_read_again) {
  Node old(options("a"));
  Node new_one(options("b"));
  ASSERT_TRUE(old.own()) << old.error;
  ASSERT_EQ(old.append_puts(), Appended::committed);
  ASSERT_TRUE(new_one.own()) << new_one.error;
  EXPECT_EQ(old.append_puts(), Appended::fenced);
  EXPECT_EQ(new_one.append_puts(2), Appended::committed);
  EXPECT_THAT(old.read(), SizeIs(2));
  EXPECT_EQ(old.next, 4U);
  ASSERT_TRUE(old.own()) << old.error;
  EXPECT_EQ(old.append_puts(), Appended::committed);
  EXPECT_EQ(new_one.append_puts(), Appended::fenced);
}

TEST_F(JetstreamLogTest, who_has_not_heard_all_cannot_take_over) {
  Node owner(options("a"));
  Node late(options("b"));
  EXPECT_THAT(late.read(), SizeIs(0));
  ASSERT_TRUE(owner.own()) << owner.error;
  ASSERT_EQ(owner.append_puts(), Appended::committed);
  const auto batches = late.wait(late.follow(1));  // and does not apply them
  ASSERT_TRUE(batches && *batches);
  EXPECT_EQ(late.wait(late.begin_take_over()), Appended::fenced);
}

TEST_F(JetstreamLogTest, an_append_whose_answer_was_lost_is_found_committed) {
  test::Proxy proxy(servers_->port(0));
  NodeOptions through = options("a");
  through.servers = {proxy.url(), servers_->url(0)};
  Node owner(through);
  ASSERT_TRUE(owner.own()) << owner.error;
  ASSERT_EQ(owner.append_puts(), Appended::committed);
  const StreamPlace before = extent().last;
  proxy.lose_answers();
  ASSERT_EQ(owner.append_puts(), Appended::committed);
  EXPECT_EQ(extent().last, before + 1);
  EXPECT_EQ(owner.append_puts(), Appended::committed);
  EXPECT_THAT(owner.read(), SizeIs(3));
}

TEST_F(JetstreamLogTest, a_trim_purges_what_was_restated_and_keeps_its_content) {
  Node owner(options("a"));
  ASSERT_TRUE(owner.own()) << owner.error;
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(owner.append(put_batch(owner.next, 1, std::string(300, 'x'))), Appended::committed);
  }
  Batch restating;
  restating.first = owner.next;
  restating.at = at_ms(1'700'000'000'100);
  for (TaskNumber number = 1; number <= 10; ++number) {
    restating.records.push_back(record::Keep{statement(number)});
  }
  restating.trim_before = restating.first;
  ASSERT_EQ(owner.append(restating), Appended::committed);
  // Ten contents of over 300 bytes, about a thousand bytes a message, and the batch itself.
  const StreamPlace last = extent().last;
  ASSERT_TRUE(test::eventually([&] { return extent().first > 11; }));
  EXPECT_GT(last, extent().first);
  Node other(options("b"));
  const auto batches = other.read();
  ASSERT_EQ(other.error, "");
  ASSERT_THAT(batches, SizeIs(1));
  EXPECT_EQ(batches[0].records, restating.records);
  for (TaskNumber number = 1; number <= 10; ++number) {
    EXPECT_EQ(other.content(number), content_row(number, std::string(300, 'x'))) << number;
  }
  ASSERT_TRUE(other.own()) << other.error;
  EXPECT_EQ(other.append_puts(), Appended::committed);
}

TEST_F(JetstreamLogTest, a_stream_that_is_nearly_full_says_so_until_it_is_trimmed) {
  NodeOptions of_small = options("a");
  of_small.stream = {stream_.name + "_small", stream_.subject + ".small"};
  StreamSettings settings = servers_->settings();
  settings.bytes_max = 1 << 20;
  const auto nats = JetstreamClient::connect({.servers = servers_->urls()});
  ASSERT_TRUE(nats && (*nats)->create(of_small.stream, settings));
  Node owner(of_small);
  ASSERT_TRUE(owner.own()) << owner.error;
  const auto says_after_appends = [&](bool wanted) {
    return test::eventually([&] {
      Batch empty;
      empty.at = at_ms(1'700'000'000'100);
      return owner.append(empty) == Appended::committed &&
             owner.log->stats().short_of_space == wanted;
    });
  };
  const std::string large(std::size_t{90} << 10, 'x');
  for (int i = 0; i < 7; ++i) {
    ASSERT_EQ(owner.append(put_batch(owner.next, 1, large)), Appended::committed);
  }
  EXPECT_FALSE(owner.log->stats().short_of_space);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(owner.append(put_batch(owner.next, 1, large)), Appended::committed);
  }
  EXPECT_TRUE(says_after_appends(true));
  EXPECT_TRUE(owner.log->stats().low_on_space);
  Batch trimming;
  trimming.first = owner.next;
  trimming.at = at_ms(1'700'000'000'100);
  trimming.records.push_back(record::Keep{statement(1)});
  trimming.trim_before = trimming.first;
  ASSERT_EQ(owner.append(trimming), Appended::committed);
  EXPECT_TRUE(says_after_appends(false));
}

TEST_F(JetstreamLogTest, a_mirror_that_was_trimmed_past_is_built_anew) {
  {
    Node early(options("b"));
    ASSERT_TRUE(early.own()) << early.error;
    ASSERT_EQ(early.append_puts(), Appended::committed);
  }
  Node owner(options("a"));
  ASSERT_TRUE(owner.own()) << owner.error;
  ASSERT_EQ(owner.append_puts(), Appended::committed);
  Batch trimming = put_batch(owner.next, 1);
  trimming.trim_before = trimming.first;
  ASSERT_EQ(owner.append(trimming), Appended::committed);
  ASSERT_TRUE(test::eventually([&] { return extent().first == 5; }));
  Node late(options("b"));
  const auto batches = late.read();
  ASSERT_EQ(late.error, "");
  ASSERT_THAT(batches, SizeIs(1));
  EXPECT_EQ(batches[0].first, 3U);
  EXPECT_FALSE(late.content(1));
  EXPECT_EQ(late.content(3), content_row(3, "hello"));
  EXPECT_TRUE(late.own()) << late.error;
}

TEST_F(JetstreamLogTest, a_follower_that_was_overtaken_by_a_trim_is_told_and_reads_again) {
  test::Proxy proxy(servers_->port(0));
  Node owner(options("a"));
  NodeOptions through = options("b");
  through.servers = {proxy.url(), servers_->url(0)};
  Node follower(through);
  EXPECT_THAT(follower.read(), SizeIs(0));
  ASSERT_TRUE(owner.own()) << owner.error;
  ASSERT_EQ(owner.append_puts(), Appended::committed);
  const auto first = follower.wait(follower.follow(1));
  ASSERT_TRUE(first && *first);
  proxy.lose_answers();
  const auto coming = follower.follow(2);
  ASSERT_EQ(owner.append_puts(), Appended::committed);
  Batch trimming = put_batch(owner.next, 1);
  trimming.trim_before = trimming.first;
  ASSERT_EQ(owner.append(trimming), Appended::committed);
  const auto overtaken = follower.wait(coming);
  ASSERT_TRUE(overtaken.has_value());
  ASSERT_FALSE(*overtaken);
  EXPECT_EQ(overtaken->error().slug, "trimmed");
  const auto batches = follower.read();
  ASSERT_EQ(follower.error, "");
  ASSERT_THAT(batches, SizeIs(1));
  EXPECT_EQ(batches[0].first, 3U);
}

TEST_F(JetstreamLogTest, a_mirror_that_was_deleted_is_built_anew) {
  {
    Node owner(options("a"));
    ASSERT_TRUE(owner.own()) << owner.error;
    ASSERT_EQ(owner.append_puts(3), Appended::committed);
  }
  std::filesystem::remove_all(temp_ / "a");
  Node again(options("a"));
  EXPECT_THAT(again.read(), SizeIs(1));
  EXPECT_EQ(again.content(3), content_row(3, "hello"));
  EXPECT_TRUE(again.own()) << again.error;
}

TEST_F(JetstreamLogTest, a_stream_of_another_cluster_is_refused) {
  {
    Node owner(options("a"));
    ASSERT_TRUE(owner.own()) << owner.error;
  }
  NodeOptions other = options("b");
  other.genesis.cluster = {5, 5};
  Node stranger(other);
  EXPECT_THAT(stranger.read(), SizeIs(0));
  EXPECT_THAT(stranger.error, HasSubstr("is of the cluster"));
}

TEST_F(JetstreamLogTest, a_broken_chain_is_refused_by_who_reads_it_and_by_who_follows) {
  Node owner(options("a"));
  ASSERT_TRUE(owner.own()) << owner.error;
  ASSERT_EQ(owner.append_puts(), Appended::committed);
  Node follower(options("b"));
  EXPECT_THAT(follower.read(), SizeIs(1));
  const auto coming = follower.follow(2);
  StreamMessage forged;
  forged.cluster = kGenesis.cluster;
  forged.epoch = 1;
  forged.previous = {1, 1};
  forged.batch = put_batch(2, 1);
  ASSERT_TRUE(follower.nats->append(stream_, extent().last, encode_message(forged)));
  const auto broken = follower.wait(coming);
  ASSERT_TRUE(broken.has_value());
  ASSERT_FALSE(*broken);
  EXPECT_EQ(broken->error().slug, "storage");
  Node reader(options("c"));
  EXPECT_THAT(reader.read(), SizeIs(0));
  EXPECT_THAT(reader.error, HasSubstr("the chain is broken"));
  EXPECT_THAT(reader.error, HasSubstr("move this directory away"));
}

TEST_F(JetstreamLogTest, a_message_of_a_stale_owner_counts_for_nothing) {
  Node owner(options("a"));
  ASSERT_TRUE(owner.own()) << owner.error;
  ASSERT_TRUE(owner.own()) << owner.error;  // epoch 2
  ASSERT_EQ(owner.append_puts(), Appended::committed);
  StreamMessage stale;
  stale.cluster = kGenesis.cluster;
  stale.epoch = 1;
  stale.batch = put_batch(2, 5);
  ASSERT_TRUE(owner.nats->append(stream_, extent().last, encode_message(stale)));
  EXPECT_EQ(owner.append_puts(), Appended::fenced);
  EXPECT_THAT(owner.read(), SizeIs(1));
  ASSERT_TRUE(owner.own()) << owner.error;
  EXPECT_EQ(owner.append_puts(), Appended::committed);
  EXPECT_EQ(owner.next, 3U);
}

TEST_F(JetstreamLogTest, a_stream_that_ends_before_its_mirror_is_refused) {
  {
    Node owner(options("a"));
    ASSERT_TRUE(owner.own()) << owner.error;
    ASSERT_EQ(owner.append_puts(), Appended::committed);
  }
  servers_->delete_stream(stream_);
  NodeOptions impatient = options("a");
  impatient.patience = milliseconds(300);
  {
    Node again(impatient);
    EXPECT_THAT(again.read(), SizeIs(0));
    EXPECT_THAT(again.error, HasSubstr("NATS has lost what it had acknowledged"));
  }
  ASSERT_TRUE(JetstreamClient::connect({.servers = servers_->urls()})
                  .value()
                  ->create(stream_, servers_->settings()));
  Node again(impatient);
  EXPECT_THAT(again.read(), SizeIs(0));
  EXPECT_THAT(again.error, HasSubstr("ends at message 0, but this mirror of it has message 2"));
}

TEST_F(JetstreamLogTest, a_stream_with_another_message_in_its_mirrors_place_is_refused) {
  {
    Node owner(options("a"));
    ASSERT_TRUE(owner.own()) << owner.error;
  }
  servers_->delete_stream(stream_);
  ASSERT_TRUE(JetstreamClient::connect({.servers = servers_->urls()})
                  .value()
                  ->create(stream_, servers_->settings()));
  {
    Node other(options("b"));
    ASSERT_TRUE(other.own()) << other.error;
  }
  Node again(options("a"));
  EXPECT_THAT(again.read(), SizeIs(0));
  EXPECT_THAT(again.error, HasSubstr("is not the one that this mirror has"));
}

TEST_F(JetstreamLogTest, a_server_that_takes_too_small_messages_is_refused) {
  auto nats = JetstreamClient::connect({.servers = servers_->urls()}).value();
  JetstreamLogOptions of_log;
  of_log.nats = nats.get();
  of_log.stream = stream_;
  of_log.content_bytes_max = 4'100'000;
  const auto opened = open_jetstream_log(std::move(of_log));
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().detail, HasSubstr("Set max_payload"));
}

}  // namespace
}  // namespace carillon
