// What a node has of one shard, for tests of a stream's log: a loop, a connection, a log over its
// own mirror. Every step waits for its callback.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/jetstream/jetstream_log.h"
#include "tests/storage/log_fixture.h"

namespace carillon {

inline const Genesis kGenesis{{1, 2}, {3, 4}};

struct NodeOptions {
  std::vector<std::string> servers;
  StreamName stream;
  std::string dir;
  Genesis genesis = kGenesis;
  std::chrono::milliseconds patience{15'000};
  std::chrono::milliseconds answer_patience{500};
};

class Node {
 public:
  explicit Node(const NodeOptions& options) {
    auto connected = JetstreamClient::connect(
        {.servers = options.servers, .answer_patience = options.answer_patience});
    if (!connected) {
      error = connected.error().detail;
      return;
    }
    nats = std::move(*connected);
    JetstreamLogOptions of_log;
    of_log.nats = nats.get();
    of_log.stream = options.stream;
    of_log.genesis = options.genesis;
    of_log.patience = options.patience;
    of_log.restated_bytes_max = 1000;
    of_log.mirror.dir = options.dir;
    of_log.mirror.post = loop.post();
    of_log.mirror.on_failure = [this](std::string message) {
      loop.post()([this, message = std::move(message)] { failures.push_back(message); });
    };
    auto opened = open_jetstream_log(std::move(of_log));
    if (opened) {
      log = std::move(*opened);
    } else {
      error = opened.error().detail;
    }
  }
  ~Node() {
    if (log) log->close();
  }

  /// Reads everything; what went wrong becomes `error`.
  std::vector<Batch> read() {
    std::vector<Batch> batches;
    error.clear();
    const auto done = log->read(1, [&](Batch&& batch) { batches.push_back(std::move(batch)); }, {});
    if (!done) error = done.error().detail;
    next = 1;
    for (const Batch& batch : batches) {
      if (!batch.records.empty()) next = batch.last() + 1;
    }
    return batches;
  }

  std::shared_ptr<std::optional<Appended>> begin_take_over() {
    auto answer = std::make_shared<std::optional<Appended>>();
    log->take_over(next, at_ms(1), {7, 7}, [answer](Appended how) { *answer = how; });
    return answer;
  }
  /// Reads to the end and takes over; whether that succeeded.
  bool own() {
    static_cast<void>(read());
    return error.empty() && wait(begin_take_over()) == Appended::committed;
  }

  std::shared_ptr<std::optional<Appended>> begin_append(Batch batch) {
    auto answer = std::make_shared<std::optional<Appended>>();
    log->append(std::move(batch), [this, answer](Appended how, Batch&& its) {
      *answer = how;
      if (how == Appended::committed && !its.records.empty()) next = its.last() + 1;
    });
    return answer;
  }
  std::optional<Appended> append(Batch batch) { return wait(begin_append(std::move(batch))); }
  /// `count` Puts that follow on.
  std::optional<Appended> append_puts(std::size_t count = 1) {
    return append(put_batch(next, count));
  }

  /// What comes at `from`; nothing: it has not yet.
  std::shared_ptr<std::optional<Result<std::vector<Batch>>>> follow(Sequence from,
                                                                    std::uint64_t bytes = 1) {
    auto answer = std::make_shared<std::optional<Result<std::vector<Batch>>>>();
    log->follow(from, bytes,
                [answer](Result<std::vector<Batch>> batches) { *answer = std::move(batches); });
    return answer;
  }

  std::optional<std::string> content(TaskNumber number) {
    std::optional<std::vector<Fetched>> answer;
    log->fetch({.numbers = {number}}, [&](std::vector<Fetched> all) { answer = std::move(all); });
    if (!loop.run_until([&] { return answer.has_value(); })) return std::nullopt;
    return answer->front().content;
  }

  /// The answer; nothing: none came.
  template <typename T>
  std::optional<T> wait(const std::shared_ptr<std::optional<T>>& answer) {
    static_cast<void>(loop.run_until([&] { return answer->has_value(); }));
    return *answer;
  }

  TestLoop loop;
  std::unique_ptr<JetstreamClient> nats;
  std::unique_ptr<JetstreamLog> log;  // nullptr: refused, for the reason in `error`
  std::string error;
  std::vector<std::string> failures;
  Sequence next = 1;
};

}  // namespace carillon
