#include "net/resolver.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <mutex>
#include <sstream>
#include <system_error>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <netdb.h>

namespace carillon {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds kKeepAnswer = 10s;
constexpr std::chrono::seconds kKeepFailure = 1s;

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

Error lookup_failed(const std::string& host, std::string_view why) {
  return {
      .slug = "network", .detail = "cannot resolve " + host + ": " + std::string(why), .field = {}};
}

/// The addresses that the hosts file has for `name`. Its names are absolute; getaddrinfo does not
/// find them there if they are asked for with the dot that says so.
Resolver::Addresses in_hosts_file(std::string_view name) {
  Resolver::Addresses addresses;
  std::ifstream file("/etc/hosts");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word;
    boost::system::error_code bad;
    if (!(words >> word)) continue;
    const auto address = boost::asio::ip::make_address(word, bad);
    while (!bad && words >> word) {
      if (same_name(word, name)) addresses.push_back(address);
    }
  }
  return addresses;
}

}  // namespace

Result<Resolver::Addresses> system_lookup(const std::string& host) {
  if (host.ends_with('.')) {
    const std::string_view name = std::string_view(host).substr(0, host.size() - 1);
    // Never a question for a name server (RFC 6761).
    if (name == "localhost" || name.ends_with(".localhost"))
      return system_lookup(std::string(name));
    if (Resolver::Addresses found = in_hosts_file(name); !found.empty()) return found;
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (code != 0) {
    return lookup_failed(host, code == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  Resolver::Addresses addresses;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    boost::asio::ip::tcp::endpoint endpoint;
    if (at->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), at->ai_addr, at->ai_addrlen);
    addresses.push_back(endpoint.address());
  }
  return addresses;
}

/// What the threads hold: the way back, cut when the resolver dies.
struct Resolver::Mailbox {
  std::mutex mutex;
  Resolver* resolver = nullptr;

  void deliver(const std::shared_ptr<Mailbox>& self, const std::string& name,
               Result<Addresses> answer) {
    const std::lock_guard lock(mutex);
    if (resolver == nullptr) return;
    boost::asio::post(resolver->loop_, [self, name, answer = std::move(answer)]() mutable {
      // The resolver dies on the loop's thread too, so this look needs no lock.
      if (self->resolver != nullptr) self->resolver->finish(name, std::move(answer));
    });
  }
};

Resolver::Resolver(boost::asio::io_context& loop, Lookup lookup)
    : loop_(loop), lookup_(std::move(lookup)), mailbox_(std::make_shared<Mailbox>()) {
  mailbox_->resolver = this;
}

Resolver::~Resolver() {
  const std::lock_guard lock(mailbox_->mutex);
  mailbox_->resolver = nullptr;
}

void Resolver::resolve(const std::string& host, Callback done) {
  boost::system::error_code not_an_address;
  const auto literal = boost::asio::ip::make_address(host, not_an_address);
  if (!not_an_address) {
    answer_later(std::move(done), Addresses{literal});
    return;
  }
  if (hosts_.size() > hosts_max_) forget_stale();
  Host& entry = hosts_[host];
  if (std::chrono::steady_clock::now() < entry.fresh_until) {
    answer_later(std::move(done), entry.answer);
    return;
  }
  entry.waiting.push_back(std::move(done));
  if (entry.waiting.size() > 1) return;
  (entry.resolved_before ? queue_known_ : queue_unknown_).push_back(host);
  start_lookups();
}

void Resolver::answer_later(Callback done, Result<Addresses> answer) {
  boost::asio::post(loop_,
                    [mailbox = mailbox_, done = std::move(done), answer = std::move(answer)] {
                      if (mailbox->resolver != nullptr) done(answer);
                    });
}

void Resolver::start_lookups() {
  while (!queue_known_.empty() && running_ < kLookupsMax) {
    start_lookup(queue_known_.front());
    queue_known_.pop_front();
  }
  while (!queue_unknown_.empty() && running_ < kLookupsOfUnknownMax) {
    start_lookup(queue_unknown_.front());
    queue_unknown_.pop_front();
  }
}

void Resolver::start_lookup(const std::string& name) {
  ++running_;
  const auto look_up = [mailbox = mailbox_, lookup = lookup_, name] {
    mailbox->deliver(mailbox, name, lookup(name));
  };
  try {
    std::thread(look_up).detach();
  } catch (const std::system_error& error) {
    mailbox_->deliver(mailbox_, name, lookup_failed(name, error.what()));
  }
}

void Resolver::finish(const std::string& name, Result<Addresses> answer) {
  --running_;
  Host& host = hosts_[name];
  host.fresh_until = std::chrono::steady_clock::now() + (answer ? kKeepAnswer : kKeepFailure);
  host.resolved_before = answer.has_value();
  host.answer = answer;
  const std::vector<Callback> waiting = std::move(host.waiting);
  host.waiting.clear();
  start_lookups();
  // A callback may ask again, or destroy this resolver: nothing of it is touched from here on.
  for (const Callback& done : waiting) done(answer);
}

void Resolver::forget_stale() {
  const auto now = std::chrono::steady_clock::now();
  std::erase_if(hosts_, [&](const auto& entry) {
    return entry.second.waiting.empty() && entry.second.fresh_until < now;
  });
  // Not again before the number has doubled, so that sweeping costs each newcomer a constant.
  hosts_max_ = std::max(kHostsKept, hosts_.size() * 2);
}

}  // namespace carillon
