// Does an add cost the same however many tasks are pending? A shard without HTTP and disk.
//
//   build/release/bin/shard_bench                        1 M and 10 M pending
//   build/release/bin/shard_bench 1000000 100000000      any sizes; 100 M need 8 GiB
//   build/release/bin/shard_bench --replay 100000000     how long a start takes from there
//
// Each size has a shard of its own, which is filled; then windows of adds to each are measured in
// turn, so that whatever else the machine does falls on all of them alike, and the median of the
// windows is taken. An add is what the server's loop does of it: submit (decide), seal, committed
// (apply), take the reply; kBatch adds a commit, which is what 64 connections get.
//
// A replay is given batches as the reader's thread decodes them, kReplayed Puts each, which are
// made outside of what is measured; before the first it is told how many tasks there will be.
//
// Prints JSON: nanoseconds of processor time an add and of each step, bytes a task by the shard's
// own account and of resident memory, and how much dearer an add is at the largest size than at the
// first.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/json.h"
#include "bench/measure.h"
#include "shard/shard.h"

namespace carillon::bench {
namespace {

constexpr WallTime kNow{std::chrono::hours(24 * 365 * 50)};
constexpr Millis kHorizon = std::chrono::days(30);
constexpr std::uint64_t kBatch = 50;
constexpr std::uint64_t kWindow = 10'000;
constexpr int kWindows = 10;
constexpr int kSteps = 3;
constexpr std::array<std::string_view, kSteps> kStepNames = {"submit_ns", "seal_ns",
                                                             "committed_ns"};
using StepNanos = std::array<double, kSteps>;

ShardOptions without_bound() {
  ShardOptions options;
  options.pending_max = UINT64_MAX;
  return options;
}

class Filled {
 public:
  explicit Filled(std::uint64_t tasks) : tasks_(tasks) {
    const std::int64_t before = resident_bytes();
    shard_.start(kNow);
    while (added_ < tasks) add(std::min(kBatch, tasks - added_));
    resident_ = static_cast<std::uint64_t>(resident_bytes() - before);
    nanos_ = {};
  }

  void measure_window() {
    for (std::uint64_t i = 0; i < kWindow / kBatch; ++i) add(kBatch);
    double all = 0;
    for (double& step : nanos_) all += step /= static_cast<double>(kWindow);
    windows_.emplace_back(all, nanos_);
    nanos_ = {};
  }

  [[nodiscard]] double nanos_each() const { return median().first; }

  void print(JsonWriter& json) const {
    json.begin_object().key("pending").unsigned_integer(tasks_);
    json.key("ns_per_add").real(nanos_each());
    for (std::size_t i = 0; i < kSteps; ++i) json.key(kStepNames[i]).real(median().second[i]);
    const auto each = [this](std::uint64_t bytes, std::uint64_t tasks) {
      return static_cast<double>(bytes) / static_cast<double>(tasks);
    };
    json.key("bytes_per_task").real(each(shard_.bytes(), added_));
    json.key("resident_bytes_per_task").real(each(resident_, tasks_)).end_object();
  }

 private:
  void add(std::uint64_t count) {
    std::array<double, kSteps + 1> at{};
    at[0] = nanos_of_thread();
    // The server asks for what an add will look at when it plans it, some microseconds ahead.
    command::Add planned = next();
    for (std::uint64_t i = 1; i <= count; ++i) {
      command::Add add = std::exchange(planned, i < count ? next() : command::Add{});
      shard_.submit(std::move(add), added_ + 1);
    }
    at[1] = nanos_of_thread();
    Batch batch = shard_.seal(kNow, std::move(spare_));
    at[2] = nanos_of_thread();
    shard_.committed(batch, kNow);
    CARILLON_CHECK(shard_.effects().replies.size() == count);
    shard_.effects().replies.clear();
    at[3] = nanos_of_thread();
    spare_ = std::move(batch);
    for (std::size_t i = 0; i < kSteps; ++i) nanos_[i] += at[i + 1] - at[i];
  }

  command::Add next() {
    command::Add add;
    add.task.task = {random_(), static_cast<std::uint16_t>(++added_)};
    add.task.due = kNow + Millis(delay_(random_));
    add.task.target = {1, 1};
    add.task.target_is_url = true;
    add.content = "content";
    shard_.prefetch(add.task.task);
    return add;
  }

  [[nodiscard]] std::pair<double, StepNanos> median() const {
    auto sorted = windows_;
    std::ranges::sort(sorted);
    return sorted[sorted.size() / 2];
  }

  std::uint64_t tasks_ = 0, added_ = 0, resident_ = 0;
  Shard shard_{without_bound()};
  std::mt19937_64 random_{tasks_};
  std::uniform_int_distribution<std::int64_t> delay_{1, kHorizon.count()};
  Batch spare_;
  StepNanos nanos_{};
  std::vector<std::pair<double, StepNanos>> windows_;
};

/// What a start does with a log of nothing but adds.
int replay(std::uint64_t tasks) {
  constexpr std::uint64_t kReplayed = 1000;
  std::mt19937_64 random(tasks);
  std::uniform_int_distribution<std::int64_t> delay(1, kHorizon.count());
  Shard shard(without_bound());
  shard.expect(tasks);
  double replay_ns = 0;
  Batch batch;
  batch.at = kNow;
  for (std::uint64_t done = 0; done < tasks; done += kReplayed) {
    batch.first = done + 1;
    batch.records.resize(kReplayed);
    for (std::uint64_t i = 0; i < kReplayed; ++i) {
      Statement& task = batch.records[i].emplace<record::Put>().task;
      task.task = {random(), static_cast<std::uint16_t>(done + i)};
      task.number = batch.first + i;
      task.due = task.asked_due = kNow + Millis(delay(random));
      task.target = {1, 1};
      task.target_is_url = true;
    }
    const double began = nanos_of_thread();
    shard.replay(batch);
    replay_ns += nanos_of_thread() - began;
  }
  const double began = nanos_of_thread();
  shard.start(kNow);
  const double start_ns = nanos_of_thread() - began;
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("replayed").unsigned_integer(shard.tasks());
  json.key("replay_ns_each").real(replay_ns / static_cast<double>(tasks));
  json.key("start_ns_each").real(start_ns / static_cast<double>(tasks));
  json.key("seconds").real((replay_ns + start_ns) / 1e9).end_object();
  std::cout << text << '\n';
  return 0;
}

int run(const std::vector<std::uint64_t>& sizes) {
  std::vector<std::unique_ptr<Filled>> shards;
  for (const std::uint64_t size : sizes) shards.push_back(std::make_unique<Filled>(size));
  for (int i = 0; i < kWindows; ++i) {
    for (const auto& shard : shards) shard->measure_window();
  }
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("sizes").begin_array();
  for (const auto& shard : shards) shard->print(json);
  json.end_array().key("last_to_first");
  json.real(shards.back()->nanos_each() / shards.front()->nanos_each()).end_object();
  std::cout << text << '\n';
  return 0;
}

}  // namespace
}  // namespace carillon::bench

int main(int argc, char** argv) {
  const bool replays = argc > 1 && std::string_view(argv[1]) == "--replay";
  std::vector<std::uint64_t> sizes;
  for (int i = replays ? 2 : 1; i < argc; ++i) sizes.push_back(std::strtoull(argv[i], nullptr, 10));
  if (sizes.empty()) sizes = {1'000'000, 10'000'000};
  if (std::ranges::count(sizes, 0) == 0) {
    return replays ? carillon::bench::replay(sizes.back()) : carillon::bench::run(sizes);
  }
  std::cerr << "usage: shard_bench [--replay] [TASKS...]\n";
  return 2;
}
