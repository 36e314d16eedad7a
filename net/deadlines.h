// Many deadlines of one length, for the price of one timer.
//
// Every connection of a kind has the same time-out, so deadlines end in the order in which they
// were armed: a list in that order needs no heap and one timer, set for its head. Arming and
// disarming cost a few pointers, no allocation and no system call.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include "base/time.h"

namespace carillon {

class Deadlines;

/// One deadline; a member of what it guards. Disarms itself when it dies.
class Deadline : public boost::intrusive::list_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  /// `expired` is called once per arming, on the loop, when the time has passed.
  explicit Deadline(std::function<void()> expired) : expired_(std::move(expired)) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  void disarm() { unlink(); }
  [[nodiscard]] bool armed() const { return is_linked(); }

 private:
  friend class Deadlines;
  std::function<void()> expired_;
  std::chrono::steady_clock::time_point at_{};
};

/// All deadlines of one length. Must outlive the armed ones. Loop's thread only. While nothing is
/// armed no timer runs. Expires up to 1/16 of the length late (so that one wake-up serves many),
/// never early.
class Deadlines {
 public:
  Deadlines(boost::asio::io_context& loop, Millis length);
  ~Deadlines();
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;
  /// (Re)starts `deadline` from now.
  void arm(Deadline& deadline);

 private:
  void schedule();
  void expire();
  boost::asio::steady_timer timer_;
  Millis length_;
  bool waiting_ = false;
  // Gone with this object: a timer's handler that was queued before looks here first.
  std::shared_ptr<Deadlines*> self_;
  boost::intrusive::list<Deadline, boost::intrusive::constant_time_size<false>> armed_;
};

}  // namespace carillon
