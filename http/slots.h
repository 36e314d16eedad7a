// A bound on how many connections do something at once; the others wait for their turn, in order.
//
// Concurrency: the loop's thread only, but for reading how many are taken.
#pragma once

#include <cstddef>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include "base/tally.h"

namespace carillon {

class Slots {
 public:
  /// One of them, or the wish for one. Gives it back when it dies. The slots must outlive it.
  class Claim : public boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
   public:
    Claim(boost::asio::io_context& loop, Slots& slots) : slots_(slots), turn_(loop) {}
    ~Claim();
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

    /// Returns when it has its slot, or was given up.
    [[nodiscard]] boost::asio::awaitable<void> wait();
    /// Ends the waiting.
    void give_up() { turn_.cancel(); }
    [[nodiscard]] bool granted() const { return granted_; }

   private:
    friend class Slots;
    Slots& slots_;
    boost::asio::steady_timer turn_;
    bool granted_ = false;
  };

  explicit Slots(std::size_t most) : most_(most) {}
  /// Fewer: for those that come from now on.
  void set_most(std::size_t most);
  [[nodiscard]] std::size_t taken() const { return taken_; }

 private:
  void admit();

  std::size_t most_;
  Tally taken_;
  boost::intrusive::list<Claim, boost::intrusive::constant_time_size<false>> waiting_;
};

}  // namespace carillon
