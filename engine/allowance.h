// So much of something at once; who asks for more waits, in order.
//
// Operation: `take` waits until its amount is free and everybody who asked before has had theirs;
// the Share that it answers gives it back when it goes. Where nothing at all is taken, any amount
// is given, so that one who needs more than there is comes through alone.
//
// Concurrency: the loop's thread. Shares may outlive the allowance; those who wait when it goes are
// dropped with all that they hold.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
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
    void give_back(std::uint64_t returned) {
      taken -= returned;
      while (!closed && !waiting.empty() && fits(waiting.front().amount)) {
        taken += waiting.front().amount;
        boost::asio::post(loop, std::move(waiting.front().resume));
        waiting.pop_front();
      }
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
      state_->taken += amount;
      state_->give_back(std::exchange(amount_, amount));
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
    state_->closed = true;
    const auto dropped = std::move(state_->waiting);
  }
  Allowance(const Allowance&) = delete;
  Allowance& operator=(const Allowance&) = delete;

  [[nodiscard]] boost::asio::awaitable<Share> take(std::uint64_t amount) {
    const std::shared_ptr<State> state = state_;
    if (state->waiting.empty() && state->fits(amount)) {
      state->taken += amount;
      co_return Share(state, amount);
    }
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
        [](auto handler, std::shared_ptr<State> its, std::uint64_t wanted) {
          auto resume = std::make_shared<decltype(handler)>(std::move(handler));
          its->waiting.push_back({wanted, [resume] { std::move (*resume)(); }});
        },
        boost::asio::use_awaitable, state, amount);
    co_return Share(state, amount);
  }

  [[nodiscard]] std::uint64_t taken() const { return state_->taken; }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace carillon
