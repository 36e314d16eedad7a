// Host names to addresses, without one slow name holding up another.
//
// Operation: getaddrinfo blocks, so each look-up has a thread of its own for as long as it takes;
// Asio's resolver would put them all behind each other on one. Those who ask for a name that is
// being looked up already share its answer, and an answer is kept for a short while. At most
// `kLookupsMax` threads run; a part of them is kept free for names that resolved before, so that
// even a crowd of dead names leaves the working ones room. An address literal needs no look-up. A
// name with a dot at its end is looked up as it is, and not under the system's search domains.
//
// Concurrency: one loop's thread; the threads within only look up and post back.
//
// Limitations: the record's own TTL is not known to getaddrinfo, hence the fixed one.
#pragma once

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

namespace carillon {

class Resolver {
 public:
  using Addresses = std::vector<boost::asio::ip::address>;
  /// Error slug: network, with the resolver's reason.
  using Callback = std::function<void(const Result<Addresses>&)>;
  /// The system's look-up, or a test's: blocks, runs on any thread.
  using Lookup = std::function<Result<Addresses>(const std::string& host)>;

  static constexpr std::size_t kLookupsMax = 64;
  static constexpr std::size_t kLookupsOfUnknownMax = 48;

  Resolver(boost::asio::io_context& loop, Lookup lookup);
  /// Drops the callbacks that are due. Threads that still look up end by themselves.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Calls back once, on the loop, never inside this call.
  void resolve(const std::string& host, Callback done);

 private:
  static constexpr std::size_t kHostsKept = 4096;
  struct Host {
    Result<Addresses> answer = Addresses();
    std::chrono::steady_clock::time_point fresh_until{};
    std::vector<Callback> waiting;
    bool resolved_before = false;  // at its last look-up
  };
  struct Mailbox;

  void answer_later(Callback done, Result<Addresses> answer);
  void start_lookups();
  void start_lookup(const std::string& name);
  void finish(const std::string& name, Result<Addresses> answer);
  void forget_stale();

  boost::asio::io_context& loop_;
  Lookup lookup_;
  std::shared_ptr<Mailbox> mailbox_;
  std::unordered_map<std::string, Host> hosts_;
  std::deque<std::string> queue_known_, queue_unknown_;
  std::size_t running_ = 0;
  std::size_t hosts_max_ = kHostsKept;
};

/// The system's look-up: getaddrinfo.
[[nodiscard]] Result<Resolver::Addresses> system_lookup(const std::string& host);

}  // namespace carillon
