#include "tests/storage/model_log.h"

#include <map>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/storage/log_fixture.h"

namespace carillon {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

/// Virtual time, and a network that brings things late, twice or never.
class Net {
 public:
  explicit Net(std::uint64_t seed = 1) : random_(seed) {}

  [[nodiscard]] ModelLog::Options options() {
    const auto soon = [this](ModelLog::Step step) { after(1 + random_() % 10, std::move(step)); };
    return {.post = soon,
            .carry =
                [this, soon](ModelLog::Step step) {
                  if (random_() % 100 < lost_percent) return;
                  if (random_() % 100 < twice_percent) soon(step);
                  soon(std::move(step));
                },
            .wait = [this](ModelLog::Step step) { after(25, std::move(step)); }};
  }
  void after(std::uint64_t pause, ModelLog::Step step) {
    steps_.emplace(now_ + pause, std::move(step));
  }
  void run(std::uint64_t time) {
    const std::uint64_t until = now_ + time;
    while (!steps_.empty() && steps_.begin()->first <= until) {
      now_ = steps_.begin()->first;
      const ModelLog::Step step = std::move(steps_.begin()->second);
      steps_.erase(steps_.begin());
      step();
    }
    now_ = until;
  }
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  std::uint64_t lost_percent = 0;
  std::uint64_t twice_percent = 0;

 private:
  std::mt19937_64 random_;
  std::uint64_t now_ = 0;
  std::multimap<std::uint64_t, ModelLog::Step> steps_;
};

std::vector<Sequence> firsts(const std::vector<Batch>& batches) {
  std::vector<Sequence> all;
  for (const Batch& batch : batches) all.push_back(batch.first);
  return all;
}

class ModelLogTest : public testing::Test {
 protected:
  std::unique_ptr<ModelLog> node() {
    auto log = std::make_unique<ModelLog>(net.options(), stream);
    EXPECT_TRUE(log->read(1, [](Batch&&) {}, {}));
    return log;
  }
  std::vector<Batch> in_stream() {
    std::vector<Batch> batches;
    ModelLog reader(net.options(), stream);
    EXPECT_TRUE(reader.read(1, [&](Batch&& batch) { batches.push_back(std::move(batch)); }, {}));
    return batches;
  }
  /// How it ended; nothing: it has not.
  std::optional<Appended> append(ModelLog& log, Batch batch, std::uint64_t time = 10'000) {
    auto how = std::make_shared<std::optional<Appended>>();
    log.append(std::move(batch), [how](Appended ended, Batch&&) { *how = ended; });
    net.run(time);
    return *how;
  }
  std::optional<Appended> take_over(ModelLog& log) {
    auto how = std::make_shared<std::optional<Appended>>();
    log.take_over([how](Appended ended) { *how = ended; });
    net.run(10'000);
    return *how;
  }

  Net net;
  std::shared_ptr<ModelStream> stream = std::make_shared<ModelStream>();
};

TEST_F(ModelLogTest, an_owner_without_rivals_commits_and_fetches_what_it_appended) {
  const auto log = node();
  EXPECT_EQ(append(*log, put_batch(1, 3)), Appended::committed);
  EXPECT_EQ(append(*log, put_batch(4, 1)), Appended::committed);
  EXPECT_THAT(firsts(in_stream()), ElementsAre(1, 4));
  std::vector<Fetched> fetched;
  log->fetch({.numbers = {2, 9}}, [&](std::vector<Fetched> came) { fetched = std::move(came); });
  net.run(100);
  ASSERT_THAT(fetched, SizeIs(2));
  EXPECT_TRUE(fetched[0].content);
  EXPECT_FALSE(fetched[1].content);
  EXPECT_EQ(log->stats().commits, 2U);
}

TEST_F(ModelLogTest, of_two_who_append_at_one_place_one_is_committed_and_the_other_fenced) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    net = Net(seed);
    net.lost_percent = 30;
    net.twice_percent = 30;
    stream = std::make_shared<ModelStream>();
    const auto a = node();
    const auto b = node();
    std::vector<Appended> ends;
    a->append(put_batch(1, 1), [&](Appended how, Batch&&) { ends.push_back(how); });
    b->append(put_batch(1, 2), [&](Appended how, Batch&&) { ends.push_back(how); });
    net.run(100'000);
    ASSERT_THAT(ends, ::testing::UnorderedElementsAre(Appended::committed, Appended::fenced))
        << "seed " << seed;
    ASSERT_THAT(in_stream(), SizeIs(1)) << "seed " << seed;
  }
}

TEST_F(ModelLogTest, while_the_outcome_is_unknown_nothing_is_answered) {
  const auto log = node();
  net.lost_percent = 100;
  std::optional<Appended> how;
  log->append(put_batch(1, 1), [&](Appended ended, Batch&&) { how = ended; });
  net.run(1'000'000);
  EXPECT_FALSE(how);
  net.lost_percent = 0;
  net.run(100);
  EXPECT_EQ(how, Appended::committed);
  EXPECT_THAT(in_stream(), SizeIs(1)) << "however often it was sent";
}

TEST_F(ModelLogTest, who_is_taken_over_is_fenced_at_the_next_append_and_goes_on_after_reading) {
  const auto before = node();
  ASSERT_EQ(append(*before, put_batch(1, 2)), Appended::committed);
  const auto after = node();
  ASSERT_EQ(take_over(*after), Appended::committed);
  EXPECT_EQ(append(*before, put_batch(3, 1)), Appended::fenced);
  EXPECT_EQ(append(*after, put_batch(3, 4)), Appended::committed);
  EXPECT_THAT(firsts(in_stream()), ElementsAre(1, 3));
  ASSERT_TRUE(before->read(1, [](Batch&&) {}, {}));
  EXPECT_EQ(take_over(*before), Appended::committed);
  EXPECT_EQ(append(*before, put_batch(7, 1)), Appended::committed);
}

TEST_F(ModelLogTest, a_take_over_by_one_who_has_not_read_to_the_end_is_fenced) {
  const auto late = node();
  const auto owner = node();
  ASSERT_EQ(append(*owner, put_batch(1, 2)), Appended::committed);
  EXPECT_EQ(take_over(*late), Appended::fenced);
}

TEST_F(ModelLogTest, a_message_that_was_on_its_way_when_its_node_ended_still_arrives) {
  auto log = node();
  log->append(put_batch(1, 1), [](Appended, Batch&&) { FAIL() << "it is closed"; });
  log->close();
  log.reset();
  net.run(100);
  EXPECT_THAT(in_stream(), SizeIs(1));
}

TEST_F(ModelLogTest, a_follower_gets_what_is_there_and_then_what_comes) {
  const auto owner = node();
  ASSERT_EQ(append(*owner, put_batch(1, 2)), Appended::committed);
  ASSERT_EQ(append(*owner, put_batch(3, 2)), Appended::committed);
  const auto standby = node();
  std::vector<Sequence> followed;
  Sequence next = 1;
  std::function<void()> go_on = [&] {
    standby->follow(next, 1, [&](Result<std::vector<Batch>> batches) {
      ASSERT_TRUE(batches);
      for (const Batch& batch : *batches) followed.push_back(batch.first);
      next = batches->back().last() + 1;
      go_on();
    });
  };
  go_on();
  net.run(200);
  EXPECT_THAT(followed, ElementsAre(1, 3));
  ASSERT_EQ(append(*owner, put_batch(5, 2)), Appended::committed);
  EXPECT_THAT(followed, ElementsAre(1, 3, 5));
  // What it followed it can take over.
  EXPECT_EQ(take_over(*standby), Appended::committed);
  EXPECT_EQ(append(*owner, put_batch(7, 1)), Appended::fenced);
}

TEST_F(ModelLogTest, who_follows_from_what_was_trimmed_hears_so) {
  const auto late = node();
  const auto owner = node();
  ASSERT_EQ(append(*owner, put_batch(1, 2)), Appended::committed);
  Batch trim = put_batch(3, 2);
  trim.trim_before = 3;
  ASSERT_EQ(append(*owner, std::move(trim)), Appended::committed);
  EXPECT_THAT(firsts(in_stream()), ElementsAre(3));
  std::string slug;
  late->follow(1, 1, [&](Result<std::vector<Batch>> batches) {
    slug = batches ? "" : batches.error().slug;
  });
  net.run(100);
  EXPECT_EQ(slug, "trimmed");
  EXPECT_EQ(take_over(*late), Appended::fenced) << "the stream begins behind its place";
}

/// Several nodes append and take over as they please. What was answered holds for ever.
TEST_F(ModelLogTest, whatever_many_nodes_do_committed_is_there_once_and_fenced_never) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    net = Net(seed);
    net.lost_percent = net.below(60);
    net.twice_percent = net.below(60);
    stream = std::make_shared<ModelStream>();
    struct Node {
      std::unique_ptr<ModelLog> log;
      Sequence next = 1;
      bool busy = false;
    };
    std::vector<Node> nodes(3);
    const auto rebuild = [&](Node& its) {
      its.next = 1;
      ASSERT_TRUE(its.log->read(1, [&](Batch&& b) { its.next = b.last() + 1; }, {}));
    };
    for (Node& its : nodes) its.log = node();
    std::map<std::string, int> said;  // by content: 1 committed, 2 fenced
    for (int step = 0; step < 300; ++step) {
      Node& its = nodes[net.below(nodes.size())];
      net.run(net.below(40));
      if (its.busy) continue;
      its.busy = true;
      const std::string name = "batch " + std::to_string(step);
      const std::size_t count = 1 + net.below(3);
      its.log->append(put_batch(its.next, count, name), [&, name](Appended how, Batch&& batch) {
        its.busy = false;
        said[name] = how == Appended::committed ? 1 : 2;
        if (how == Appended::committed) {
          its.next = batch.last() + 1;
        } else {
          rebuild(its);
        }
      });
    }
    net.lost_percent = 0;
    net.run(1'000'000);
    std::map<std::string, int> found;
    for (auto place = stream->first(); place < stream->next(); ++place) {
      ++found[std::string(decode_content(stream->at(place)->batch.contents.at(0).bytes)->body)];
    }
    for (const auto& [name, how] : said) {
      ASSERT_EQ(found[name], how == 1 ? 1 : 0) << name << ", seed " << seed;
    }
    ASSERT_GT(found.size(), 20U) << "seed " << seed;
  }
}

}  // namespace
}  // namespace carillon
