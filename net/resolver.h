// Host names to addresses, without one slow name holding up another.
//
// Operation: getaddrinfo blocks, so each look-up has a thread of its own for as long as it takes.
// Those who ask for a name that is being looked up already share its answer, and an answer is kept
// for a short while. An address literal needs no look-up. A name with a dot at its end is looked up
// as it is, and not under the system's search domains.
//
// A name is looked up again 10 s after its last answer. Until that is 30 s old it is still given
// out, while the new look-up is under way; where that brings no answer, for up to 5 minutes. Only
// where the name servers say that there is no such name any more, it is gone at once.
//
// Fairness. A name whose servers never answer keeps its thread for some ten seconds. So look-ups
// are begun at a rate that falls the more of them are under way, and there is always room for the
// next: names that resolved before come first, then those that an operator vouches for (of named
// targets), then others, the newest and the oldest by turns, then those that failed before. Nobody
// waits longer than 5 s for a look-up, or 30 s for its turn.
//
// Concurrency: one loop's thread; the threads within only look up and post back.
//
// Limitations: the record's own TTL is not known to getaddrinfo, hence the fixed times.
#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>

#include "base/result.h"
#include "base/time.h"
#include "net/deadlines.h"

namespace carillon {

class Resolver {
 public:
  using Addresses = std::vector<boost::asio::ip::address>;
  /// Error slugs: no_such_name where the name servers say so, else network, with the reason.
  using Callback = std::function<void(const Result<Addresses>&)>;
  /// The system's look-up, or a test's: blocks, runs on any thread.
  using Lookup = std::function<Result<Addresses>(const std::string& host)>;
  enum class Vouched { no, yes };

  struct Options {
    std::size_t lookups_max = 512;                 // threads; each takes a descriptor, too
    Millis answer_limit{std::chrono::seconds(5)};  // of a look-up
    Millis turn_limit{std::chrono::seconds(30)};   // of waiting for it to begin
    Millis young_for{100};                         // look-ups as young count against `young_max`
    std::size_t young_max = 64;
    /// About what a dead name's look-up takes where the system's resolver has its usual time-outs.
    Millis dead_for{std::chrono::seconds(10)};
    std::chrono::steady_clock::duration fresh_for{std::chrono::seconds(10)};
    std::chrono::steady_clock::duration stale_for{std::chrono::seconds(30)};
    std::chrono::steady_clock::duration kept_for{std::chrono::minutes(5)};
    std::chrono::steady_clock::duration failure_for{std::chrono::seconds(1)};
  };

  Resolver(boost::asio::io_context& loop, Options options, Lookup lookup);
  /// Drops the callbacks that are due. Threads that still look up end by themselves.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// What can be told at once: of an address literal, or a name that was looked up lately. Null:
  /// ask. Good until the next call.
  [[nodiscard]] const Result<Addresses>* known(const std::string& host, Vouched vouched);
  /// Calls back once, on the loop, never inside this call.
  void resolve(const std::string& host, Vouched vouched, Callback done);

 private:
  using Moment = std::chrono::steady_clock::time_point;
  enum class Class { good, vouched, other, failed };  // which look-ups come first
  struct Host {
    explicit Host(std::function<void()> late, std::function<void()> old)
        : patience(std::move(late)), youth(std::move(old)) {}
    Result<Addresses> answer = Addresses();  // the last
    Moment fresh_until{};
    Addresses good;  // the last that it had; empty: none, or they are gone
    Moment good_at{};
    std::vector<Callback> waiting;
    bool wanted = false;             // it is queued, and somebody still wants to know
    Class queued_as = Class::other;  // where it was queued last
    bool running = false;
    bool overdue = false;  // while it is running: it has not been answered within the limit
    bool failed_before = false;
    bool vouched = false;
    Deadline patience;  // of those who wait
    Deadline youth;     // of its look-up
  };
  struct Mailbox;

  [[nodiscard]] Host& host_of(const std::string& name);
  [[nodiscard]] static bool is_good(const Host& host, Moment now,
                                    std::chrono::steady_clock::duration within) {
    return !host.good.empty() && now - host.good_at < within;
  }
  void look_up(const std::string& name, Host& host);
  [[nodiscard]] bool may_start(Class which) const;
  void start_lookups();
  [[nodiscard]] std::string next_of(Class which);
  void start_lookup(Class which);
  void grown_old();
  void give_up_waiting(const std::string& name);
  void finish(const std::string& name, Result<Addresses> answer);
  void answer_all(Host& host, const Result<Addresses>& answer);
  void forget_stale();

  static constexpr std::size_t kHostsKept = 4096;

  boost::asio::io_context& loop_;
  Options options_;
  Lookup lookup_;
  std::shared_ptr<Mailbox> mailbox_;
  Deadlines answer_limits_, turn_limits_, youths_, pauses_;  // before what is armed with them
  std::unordered_map<std::string, Host> hosts_;
  std::array<std::deque<std::string>, 4> queues_;  // by Class
  std::size_t running_ = 0;
  std::size_t young_ = 0;
  Deadline pause_;  // before the next look-up, where many are under way
  bool newest_next_ = true;
  std::size_t hosts_max_ = kHostsKept;
  Result<Addresses> told_ = Addresses();
};

/// The system's look-up: getaddrinfo.
[[nodiscard]] Result<Resolver::Addresses> system_lookup(const std::string& host);

}  // namespace carillon
