// So much of something at once; who asks for more waits, in order.
//
// Operation: `take` waits until its amount is free and everybody who asked before has had theirs;
// the Share that it answers gives it back when it goes. Where nothing at all is taken, any amount
// is given, so that one who needs more than there is comes through alone.
//
// Concurrency: `take` is for the loop's thread; a Share may be on any other. Shares may outlive the
// allowance; those who wait when it goes are dropped with all that they hold.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace carillon {

class Allowance {
  struct State {
    explicit State(boost::asio::io_context& io, std::uint64_t most) : loop(io), amount(most) {}
    boost::asio::io_context& loop;
    const std::uint64_t amount;
    std::mutex mutex;  // over all that follows
    std::uint64_t taken = 0;
    bool closed = false;
    struct Waiting {
      std::uint64_t amount = 0;
      std::function<void()> resume;
    };
    std::deque<Waiting> waiting;

    [[nodiscard]] bool fits(std::uint64_t more) const {
      return taken == 0 || taken + more <= amount;
    }
    [[nodiscard]] bool take_now(std::uint64_t more) {
      const std::lock_guard lock(mutex);
      if (!waiting.empty() || !fits(more)) return false;
      taken += more;
      return true;
    }
    /// Where it could not be taken at once.
    void wait(Waiting one) {
      const std::lock_guard lock(mutex);
      waiting.push_back(std::move(one));
      resume_those_that_fit();
    }
    void resume_those_that_fit() {
      while (!closed && !waiting.empty() && fits(waiting.front().amount)) {
        taken += waiting.front().amount;
        boost::asio::post(loop, std::move(waiting.front().resume));
        waiting.pop_front();
      }
    }
    /// In exchange for so many more.
    void give_back(std::uint64_t returned, std::uint64_t more = 0) {
      const std::lock_guard lock(mutex);
      taken += more;
      taken -= returned;
      resume_those_that_fit();
    }
  };

 public:
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept { *this = std::move(other); }
    Share& operator=(Share&& other) noexcept {
      std::swap(state_, other.state_);
      std::swap(amount_, other.amount_);
      return *this;
    }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() {
      if (state_) state_->give_back(amount_);
    }
    /// It has turned out to be so much; does not wait.
    void resize(std::uint64_t amount) {
      if (!state_) return;
      state_->give_back(std::exchange(amount_, amount), amount);
    }

   private:
    friend class Allowance;
    Share(std::shared_ptr<State> state, std::uint64_t amount)
        : state_(std::move(state)), amount_(amount) {}
    std::shared_ptr<State> state_;
    std::uint64_t amount_ = 0;
  };

  Allowance(boost::asio::io_context& loop, std::uint64_t amount)
      : state_(std::make_shared<State>(loop, amount)) {}
  ~Allowance() {
    std::deque<typename State::Waiting> dropped;  // outside the lock: it may hold shares
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
    dropped.swap(state_->waiting);
  }
  Allowance(const Allowance&) = delete;
  Allowance& operator=(const Allowance&) = delete;

  [[nodiscard]] boost::asio::awaitable<Share> take(std::uint64_t amount) {
    const std::shared_ptr<State> state = state_;
    if (state->take_now(amount)) co_return Share(state, amount);
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
        [](auto handler, std::shared_ptr<State> its, std::uint64_t wanted) {
          auto resume = std::make_shared<decltype(handler)>(std::move(handler));
          its->wait({wanted, [resume] { std::move (*resume)(); }});
        },
        boost::asio::use_awaitable, state, amount);
    co_return Share(state, amount);
  }

  [[nodiscard]] std::uint64_t taken() const {
    const std::lock_guard lock(state_->mutex);
    return state_->taken;
  }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace carillon
