// Lets coroutines of other loops in: what they ask is done on the loop of the shard.
//
// Operation: `pass` hands the call over and answers on the caller's loop when it is done. Calls
// that come up in one turn of a caller's loop go over together, and so do the answers that come up
// in one turn of the shard's: each crowd wakes the other side once, however many it is. The shard's
// loop takes calls in the order in which they came, in slices of some 200 us; before each slice
// what is due is served, and between two slices the loop does everything else. So a flood of calls
// delays no push. Answers go on in slices too, between which the callers' loop does everything
// else. A caller on the loop itself is served at once.
//
// Concurrency: `pass` is for any thread that runs a loop. Whoever waits when the gate goes is
// dropped with all that he holds; the threads of all callers have ended by then, unless nobody
// waits.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace carillon {

class Gate {
 public:
  /// `serve_due` is called before each slice.
  Gate(boost::asio::io_context& loop, std::function<void()> serve_due)
      : loop_(loop), serve_due_(std::move(serve_due)) {}
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Calls `make` on the loop and answers what the coroutine that it returns answers.
  template <typename Make>
  [[nodiscard]] std::invoke_result_t<Make> pass(Make make) {
    using T = typename std::invoke_result_t<Make>::value_type;
    if (loop_.get_executor().running_in_this_thread()) return make();
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                       void(std::exception_ptr, T)>(
        [this](auto handler, Make its) {
          std::shared_ptr<Side> side = side_of(boost::asio::get_associated_executor(handler));
          put(std::make_unique<CallOf<T, decltype(handler), Make>>(
              std::move(side), std::move(handler), std::move(its)));
        },
        boost::asio::use_awaitable, std::move(make));
  }

 private:
  struct Call;
  using Calls = std::deque<std::unique_ptr<Call>>;

  /// A loop of callers.
  struct Side {
    explicit Side(boost::asio::any_io_executor its_loop) : loop(std::move(its_loop)) {}
    boost::asio::any_io_executor loop;
    // On the thread of that loop.
    std::size_t waiting = 0;  // calls that have not gone on
    Calls calls;              // of this turn
    Calls finished;           // answers that have come, and have not gone on
    // On the thread of the shard's.
    Calls answers;  // of this turn
  };

  struct Call {
    explicit Call(std::shared_ptr<Side> its_side) : side(std::move(its_side)) {}
    virtual ~Call() = default;
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    /// Does what is asked; `self` is this. Then it comes back with `answer`.
    virtual void begin(Gate& gate, std::unique_ptr<Call> self) = 0;
    /// Goes on where it was called from.
    virtual void finish() = 0;
    std::shared_ptr<Side> side;
  };
  template <typename T, typename Handler, typename Make>
  struct CallOf final : Call {
    CallOf(std::shared_ptr<Side> its_side, Handler its_handler, Make its_make)
        : Call(std::move(its_side)), handler(std::move(its_handler)), make(std::move(its_make)) {}
    void begin(Gate& gate, std::unique_ptr<Call> self) override {
      std::optional<boost::asio::awaitable<T>> work;
      try {
        work.emplace(make());
      } catch (...) {
        failed = std::current_exception();
        value.emplace();
        return gate.answer(std::move(self));
      }
      boost::asio::co_spawn(
          gate.loop_, *std::move(work),
          [&gate, this, its = std::move(self)](std::exception_ptr why, T answered) mutable {
            failed = std::move(why);
            value.emplace(std::move(answered));
            gate.answer(std::move(its));
          });
    }
    void finish() override { std::move(handler)(std::move(failed), *std::move(value)); }
    Handler handler;
    Make make;
    std::exception_ptr failed;
    std::optional<T> value;
  };

  [[nodiscard]] std::shared_ptr<Side> side_of(const boost::asio::any_io_executor& loop);
  void put(std::unique_ptr<Call> call);
  void hand_over(Side& side);
  void ask();
  void take();
  [[nodiscard]] bool refill();
  void answer(std::unique_ptr<Call> call);
  static void bring(const std::shared_ptr<Side>& side, Calls answers);
  static void go_on(const std::shared_ptr<Side>& side, std::chrono::microseconds time);

  boost::asio::io_context& loop_;
  const std::function<void()> serve_due_;
  std::mutex mutex_;  // over the three that follow
  std::vector<std::shared_ptr<Side>> sides_;
  Calls waiting_;
  bool asked_ = false;  // `take` is posted
  // The loop's thread only.
  Calls ready_;  // taken from `waiting_`
  /// Gone when the gate is: what was posted looks here first.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace carillon
