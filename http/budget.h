// A bound on what the connections of one server, on all its loops, hold together, such as bytes for
// clients that do not read.
//
// Operation: each connection has a share. Where one takes more and the whole is over the bound, the
// shares that have held something longer give up, the longest first, until it fits. So a client
// that is slow loses its connection to one that is not. A share that is pinned is in use and cannot
// give up. Where only such and younger ones are left, it is the taker that does not get what it
// wants.
//
// Concurrency: any thread; a share is for one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>

#include <boost/intrusive/list.hpp>

#include "base/tally.h"

namespace carillon {

class Budget {
 public:
  class Share : public boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
   public:
    /// `give_up` is called when the share lost what it held, on the thread of whoever takes; it
    /// must see to it that the memory is freed soon. It must not touch the share or the budget. The
    /// budget must outlive the share.
    Share(Budget& budget, std::function<void()> give_up)
        : budget_(budget), give_up_(std::move(give_up)) {}
    ~Share() { give_back(); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    /// Holds `amount` more; false, and nothing more, where there is no room. One that is alone may
    /// hold more than the bound.
    [[nodiscard]] bool take(std::size_t amount);
    /// Keeps what it holds until it is given back; false: it was lost.
    [[nodiscard]] bool pin();
    /// It had to give up what it held, and has not given back since.
    [[nodiscard]] bool lost() const;
    void give_back();

   private:
    friend class Budget;
    Budget& budget_;
    std::function<void()> give_up_;
    std::size_t amount_ = 0;  // like the hook and `lost_`, under the budget's lock
    bool lost_ = false;
    bool used_ = false;  // since it was given back; its own thread's
  };

  explicit Budget(std::size_t most) : most_(most) {}

  /// For what is taken from now on.
  void set_most(std::size_t most) {
    const std::lock_guard lock(mutex_);
    most_ = most;
  }
  [[nodiscard]] std::size_t held() const { return held_; }
  /// How many shares gave up, since the start.
  [[nodiscard]] std::uint64_t given_up() const { return given_up_; }

 private:
  void release(Share& share);

  std::mutex mutex_;  // over all that follows
  std::size_t most_;
  Tally held_;
  Tally given_up_;
  // Those that can give up, the one that has held something longest first.
  boost::intrusive::list<Share, boost::intrusive::constant_time_size<false>> shares_;
};

}  // namespace carillon
