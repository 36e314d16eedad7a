#include "engine/async.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace carillon {
namespace {

namespace asio = boost::asio;

/// Takes a millisecond at most.
constexpr std::size_t kSubmittedAtOnce = 1024;
/// Of one piece of a long read.
constexpr std::size_t kFetchedAtOnce = 1000;
constexpr std::uint64_t kFetchedBytes = std::uint64_t{4} << 20;

/// A coroutine that waits for replies; lives in its frame.
class WaitingCoroutine final : public Caller {
 public:
  using Caller::Caller;

  void answered() override {
    if (const auto resume = std::move(resume_)) resume->resume();
  }
  /// The frame goes, and this with it.
  void dropped() override { const auto gone = std::move(resume_); }

  /// While `waits`.
  Async<void> replies() {
    return asio::async_initiate<const asio::use_awaitable_t<>, void()>(
        [this](auto handler) {
          using Handler = decltype(handler);
          struct ResumeHandler final : Resume {
            explicit ResumeHandler(Handler its) : caller(std::move(its)) {}
            void resume() override { std::move(caller)(); }
            Handler caller;
          };
          resume_ = std::make_unique<ResumeHandler>(std::move(handler));
        },
        asio::use_awaitable);
  }

 private:
  struct Resume {
    virtual ~Resume() = default;
    virtual void resume() = 0;
  };
  std::unique_ptr<Resume> resume_;  // set while it waits
};

}  // namespace

Async<void> ask_all(asio::io_context& loop, ShardDriver& driver, std::span<Command> commands,
                    Reply* into) {
  WaitingCoroutine waiting(into);
  while (!commands.empty()) {
    const std::size_t size = std::min(commands.size(), kSubmittedAtOnce);
    driver.submit(commands.first(size), waiting);
    commands = commands.subspan(size);
    if (!commands.empty()) co_await yield(loop);
  }
  if (waiting.waits()) co_await waiting.replies();
}

Async<Reply> ask(ShardDriver& driver, Command command) {
  Reply reply;
  WaitingCoroutine waiting(&reply);
  driver.submit(std::span(&command, 1), waiting);
  if (waiting.waits()) co_await waiting.replies();
  co_return reply;
}

Async<std::optional<Error>> confirm(ShardDriver& driver) {
  Reply reply;
  WaitingCoroutine waiting(&reply);
  driver.confirm(waiting);
  if (waiting.waits()) co_await waiting.replies();
  if (reply.verdict == Verdict::done) co_return std::nullopt;
  co_return reply.verdict == Verdict::log_away ? log_away() : moved();
}

Async<std::vector<Fetched>> fetch(Log& log, Fetch wanted) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(std::vector<Fetched>)>(
      [&log](auto handler, Fetch what) {
        auto resume = std::make_shared<decltype(handler)>(std::move(handler));
        log.fetch(std::move(what), [resume](std::vector<Fetched> fetched) {
          std::move (*resume)(std::move(fetched));
        });
      },
      asio::use_awaitable, std::move(wanted));
}

Async<void> fetch_each(Log& log, Fetch wanted, std::function<void(std::size_t, Fetched&)> take) {
  const std::vector<TaskNumber> numbers = std::move(wanted.numbers);
  std::vector<std::size_t> missing;
  for (std::size_t next = 0; next < numbers.size() || !missing.empty();) {
    while (missing.size() < kFetchedAtOnce && next < numbers.size()) missing.push_back(next++);
    Fetch piece = wanted;
    piece.bytes_max = kFetchedBytes;
    for (const std::size_t index : missing) piece.numbers.push_back(numbers[index]);
    std::vector<Fetched> fetched = co_await fetch(log, std::move(piece));
    std::size_t left = 0;
    for (std::size_t i = 0; i < missing.size(); ++i) {
      if (fetched[i].left_out) {
        missing[left++] = missing[i];
      } else {
        take(missing[i], fetched[i]);
      }
    }
    missing.resize(left);
  }
}

Async<Result<>> checkpoint(Log& log, std::string dir) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(Result<>)>(
      [&log](auto handler, std::string where) {
        auto resume = std::make_shared<decltype(handler)>(std::move(handler));
        log.checkpoint(std::move(where),
                       [resume](Result<> done) { std::move (*resume)(std::move(done)); });
      },
      asio::use_awaitable, std::move(dir));
}

Async<PushResult> push_to_the_end(Sink& sink, Push push) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(PushResult)>(
      [&sink, push = std::move(push)](auto handler) mutable {
        using Handler = decltype(handler);
        // The callback must be copyable, which a handler is not.
        auto kept = std::make_shared<Handler>(std::move(handler));
        sink.push(std::move(push),
                  [kept](PushResult result) { std::move (*kept)(std::move(result)); });
      },
      asio::use_awaitable);
}

void run_detached(asio::io_context& loop, Async<void> work) {
  asio::co_spawn(loop, std::move(work), [](const std::exception_ptr& failed) {
    // An exception here is a programmer's mistake; going on would hide it.
    if (failed) std::rethrow_exception(failed);
  });
}

Async<void> yield(asio::io_context& loop) {
  return asio::post(loop, asio::use_awaitable);
}

}  // namespace carillon
