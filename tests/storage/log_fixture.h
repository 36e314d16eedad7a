// What the storage tests share: a loop that runs posted functions on the test's thread, temporary
// directories, and batches with something of everything in them.
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/content.h"
#include "storage/log.h"
#include "storage/rocksdb_log.h"

namespace carillon {

/// Gathers what is posted from any thread and runs it when asked.
class TestLoop {
 public:
  [[nodiscard]] Post post() {
    return [this](std::function<void()> work) {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(work));
      changed_.notify_one();
    };
  }

  /// Runs posted functions until `condition` holds; false: it did not within 20 s.
  [[nodiscard]] bool run_until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      std::unique_lock lock(mutex_);
      if (!changed_.wait_until(lock, deadline, [this] { return !queue_.empty(); })) return false;
      auto work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
    }
    return true;
  }

  /// Runs what is posted now, and what that posts.
  void run() {
    static_cast<void>(run_until([this] {
      const std::lock_guard lock(mutex_);
      return queue_.empty();
    }));
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
};

/// A directory of the test's own, gone afterwards.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "carillon-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  /// A path in it.
  [[nodiscard]] std::string operator/(const std::string& name) const {
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

/// Names in the directory.
inline std::size_t entries_of(const std::string& directory) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(directory), {}));
}

inline WallTime at_ms(std::int64_t ms) {
  return WallTime(Millis(ms));
}

inline Statement statement(TaskNumber number) {
  Statement task;
  task.task = {number * 0x9e3779b97f4a7c15, static_cast<std::uint16_t>(number * 7)};
  task.number = number;
  task.due = task.asked_due = at_ms(1'700'000'060'000);
  task.target = {11, 12};
  return task;
}

inline std::string content_row(TaskNumber number, std::string_view body) {
  const std::string id = "task-" + std::to_string(number);
  TaskContent content;
  content.id = id;
  content.target = "mail";
  content.body = body;
  content.content_type = "text/plain";
  content.webhook_id = "msg_1";
  return encode_content(content);
}

/// `count` Puts from `first` on, each with a content.
inline Batch put_batch(Sequence first, std::size_t count, std::string_view body = "hello") {
  Batch batch;
  batch.first = first;
  batch.at = at_ms(1'700'000'000'000 + static_cast<std::int64_t>(first));
  for (std::size_t i = 0; i < count; ++i) {
    batch.records.push_back(record::Put{statement(first + i)});
    batch.contents.push_back({first + i, content_row(first + i, body)});
  }
  return batch;
}

/// A log under test with its loop; every step waits for its callback.
class LogHarness {
 public:
  explicit LogHarness(const std::string& dir, rocksdb::Env* env = nullptr,
                      std::uint64_t wal_ahead_bytes = 1 << 20,
                      const std::optional<SipKey>& key = std::nullopt) {
    RocksdbLogOptions options;
    options.key = key;
    options.wal_ahead_bytes = wal_ahead_bytes;
    options.dir = dir;
    options.env = env;
    options.post = loop.post();
    options.on_failure = [this](std::string message) {
      loop.post()([this, message = std::move(message)] { failures.push_back(message); });
    };
    auto opened = open_rocksdb_log(std::move(options));
    if (opened) {
      log = std::move(*opened);
    } else {
      error = opened.error().detail;
    }
  }

  /// Reads everything; what went wrong becomes `error`.
  std::vector<Batch> read(Sequence from = 1) {
    std::vector<Batch> batches;
    const auto done =
        log->read(from, [&](Batch&& batch) { batches.push_back(std::move(batch)); }, {});
    if (!done) error = done.error().detail;
    return batches;
  }

  /// Whether it was acknowledged.
  bool append(Batch batch) {
    bool done = false;
    log->append(std::move(batch),
                [&](Appended how, Batch&&) { done = how == Appended::committed; });
    return loop.run_until([&] { return done || !failures.empty(); }) && done;
  }

  std::vector<Fetched> fetch(std::vector<TaskNumber> numbers, bool notes = true) {
    return fetch(Fetch{.numbers = std::move(numbers), .notes = notes});
  }
  std::vector<Fetched> fetch(Fetch wanted) {
    std::optional<std::vector<Fetched>> answer;
    log->fetch(std::move(wanted),
               [&](std::vector<Fetched> fetched) { answer = std::move(fetched); });
    EXPECT_TRUE(loop.run_until([&] { return answer.has_value(); }));
    return std::move(answer).value_or(std::vector<Fetched>());
  }

  std::vector<Batch> read_oldest(std::uint64_t bytes) {
    std::optional<std::vector<Batch>> answer;
    log->read_oldest(bytes, [&](std::vector<Batch> batches) { answer = std::move(batches); });
    EXPECT_TRUE(loop.run_until([&] { return answer.has_value(); }));
    return std::move(answer).value_or(std::vector<Batch>());
  }

  /// What comes at `from`; nothing: it has not yet.
  std::shared_ptr<std::optional<Result<std::vector<Batch>>>> follow(Sequence from,
                                                                    std::uint64_t bytes = 1) {
    auto answer = std::make_shared<std::optional<Result<std::vector<Batch>>>>();
    log->follow(from, bytes,
                [answer](Result<std::vector<Batch>> batches) { *answer = std::move(batches); });
    return answer;
  }

  /// Empty: written.
  std::string checkpoint(const std::string& dir) {
    std::optional<Result<>> answer;
    log->checkpoint(dir, [&](Result<> written) { answer = std::move(written); });
    EXPECT_TRUE(loop.run_until([&] { return answer.has_value(); }));
    return answer && !*answer ? answer->error().detail : "";
  }

  TestLoop loop;
  std::unique_ptr<Log> log;  // nullptr: refused, for the reason in `error`
  std::string error;
  std::vector<std::string> failures;
};

}  // namespace carillon
