#include "net/resolver.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <mutex>
#include <sstream>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <netdb.h>
#include <pthread.h>

#include "base/text.h"

namespace carillon {
namespace {

using namespace std::chrono_literals;

// getaddrinfo needs some 70 KiB at most; thousands of threads' default stacks would be gigabytes.
constexpr std::size_t kStackBytes = std::size_t{512} * 1024;

Error lookup_failed(const std::string& host, std::string_view why) {
  return {
      .slug = "network", .detail = "cannot resolve " + host + ": " + std::string(why), .field = {}};
}

/// Runs `work` on a thread of its own that nobody waits for; false where there can be no more.
bool start_thread(std::function<void()> work) {
  auto owned = std::make_unique<std::function<void()>>(std::move(work));
  pthread_attr_t how{};
  pthread_attr_init(&how);
  pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&how, kStackBytes);
  const auto run = [](void* argument) -> void* {
    const std::unique_ptr<std::function<void()>> mine(
        static_cast<std::function<void()>*>(argument));
    (*mine)();
    return nullptr;
  };
  pthread_t thread{};
  const bool started = pthread_create(&thread, &how, run, owned.get()) == 0;
  pthread_attr_destroy(&how);
  if (started) static_cast<void>(owned.release());
  return started;
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
      if (same_in_any_case(word, name)) addresses.push_back(address);
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
    Error error =
        lookup_failed(host, code == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(code));
    if (code == EAI_NONAME || code == EAI_NODATA) error.slug = "no_such_name";
    return error;
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

Resolver::Resolver(boost::asio::io_context& loop, Options options, Lookup lookup)
    : loop_(loop),
      options_(options),
      lookup_(std::move(lookup)),
      mailbox_(std::make_shared<Mailbox>()),
      answer_limits_(loop, options.answer_limit),
      turn_limits_(loop, options.turn_limit),
      youths_(loop, options.young_for),
      // Between half and 7/8 of the threads there is room for one more all the time.
      pauses_(loop, options.dead_for * 8 / 3 / static_cast<int>(options.lookups_max)),
      pause_([this] { start_lookups(); }) {
  mailbox_->resolver = this;
}

Resolver::~Resolver() {
  const std::lock_guard lock(mailbox_->mutex);
  mailbox_->resolver = nullptr;
}

const Result<Resolver::Addresses>* Resolver::known(const std::string& host, Vouched vouched) {
  boost::system::error_code not_an_address;
  const auto literal = boost::asio::ip::make_address(host, not_an_address);
  if (!not_an_address) {
    told_ = Addresses{literal};
    return &told_;
  }
  const auto found = hosts_.find(host);
  if (found == hosts_.end()) return nullptr;
  Host& entry = found->second;
  const Moment now = std::chrono::steady_clock::now();
  if (now < entry.fresh_until) return &entry.answer;
  if (entry.running && entry.overdue) {
    if (!is_good(entry, now, options_.kept_for)) return &entry.answer;
    told_ = entry.good;
    return &told_;
  }
  if (!is_good(entry, now, options_.stale_for)) return nullptr;
  entry.vouched = entry.vouched || vouched == Vouched::yes;
  look_up(host, entry);
  told_ = entry.good;
  return &told_;
}

void Resolver::resolve(const std::string& host, Vouched vouched, Callback done) {
  if (const Result<Addresses>* answer = known(host, vouched)) {
    boost::asio::post(loop_, [mailbox = mailbox_, done = std::move(done), answer = *answer] {
      if (mailbox->resolver != nullptr) done(answer);
    });
    return;
  }
  if (hosts_.size() > hosts_max_) forget_stale();
  Host& entry = host_of(host);
  entry.vouched = entry.vouched || vouched == Vouched::yes;
  entry.waiting.push_back(std::move(done));
  if (!entry.patience.armed()) {
    (entry.running ? answer_limits_ : turn_limits_).arm(entry.patience);
  }
  look_up(host, entry);
}

Resolver::Host& Resolver::host_of(const std::string& name) {
  return hosts_.try_emplace(
                   name, [this, name] { give_up_waiting(name); }, [this] { grown_old(); })
      .first->second;
}

void Resolver::look_up(const std::string& name, Host& host) {
  if (host.running) return;
  const Moment now = std::chrono::steady_clock::now();
  const Class which = is_good(host, now, options_.kept_for) ? Class::good
                      : host.vouched                        ? Class::vouched
                      : host.failed_before                  ? Class::failed
                                                            : Class::other;
  // Where it is queued behind those of a lower class, that place stays and means nothing any more.
  const bool waits_as_well = host.wanted && host.queued_as <= which;
  host.wanted = true;
  if (waits_as_well) return;
  host.queued_as = which;
  queues_[static_cast<std::size_t>(which)].push_back(name);
  start_lookups();
}

bool Resolver::may_start(Class which) const {
  const std::size_t most = options_.lookups_max;
  if (which == Class::good) return running_ < most;
  if (running_ >= most * 7 / 8) return false;
  if (which == Class::vouched || running_ < most / 2) return young_ < options_.young_max;
  return which == Class::other && !pause_.armed();
}

void Resolver::start_lookups() {
  for (const Class which : {Class::good, Class::vouched, Class::other, Class::failed}) {
    while (!queues_[static_cast<std::size_t>(which)].empty() && may_start(which)) {
      start_lookup(which);
    }
  }
}

std::string Resolver::next_of(Class which) {
  std::deque<std::string>& queue = queues_[static_cast<std::size_t>(which)];
  const bool newest = which >= Class::other && newest_next_;
  newest_next_ = !newest_next_;
  std::string name = std::move(newest ? queue.back() : queue.front());
  newest ? queue.pop_back() : queue.pop_front();
  return name;
}

void Resolver::start_lookup(Class which) {
  const std::string name = next_of(which);
  Host& host = host_of(name);
  if (host.running || !std::exchange(host.wanted, false)) return;
  ++running_;
  ++young_;
  host.running = true;
  youths_.arm(host.youth);
  if (running_ > options_.lookups_max / 2 && which != Class::good) pauses_.arm(pause_);
  if (!host.waiting.empty()) answer_limits_.arm(host.patience);
  const bool started = start_thread([mailbox = mailbox_, lookup = lookup_, name] {
    mailbox->deliver(mailbox, name, lookup(name));
  });
  if (!started) mailbox_->deliver(mailbox_, name, lookup_failed(name, "no thread for it"));
}

/// A look-up has taken so long that it counts as slow, and another may begin.
void Resolver::grown_old() {
  --young_;
  start_lookups();
}

void Resolver::give_up_waiting(const std::string& name) {
  Host& host = hosts_.at(name);
  host.wanted = false;
  host.overdue = host.running;
  host.answer = lookup_failed(
      name, host.running ? "no answer within " + format_duration(options_.answer_limit)
                         : "too many names wait for an answer");
  if (is_good(host, std::chrono::steady_clock::now(), options_.kept_for)) {
    return answer_all(host, host.good);
  }
  answer_all(host, host.answer);
}

void Resolver::finish(const std::string& name, Result<Addresses> answer) {
  Host& host = hosts_.at(name);
  const Moment now = std::chrono::steady_clock::now();
  --running_;
  if (host.youth.armed()) --young_;
  host.youth.disarm();
  host.running = false;
  host.overdue = false;
  if (answer && answer->empty()) answer = lookup_failed(name, "it has no address");
  host.failed_before = !answer;
  if (answer) {
    host.good = *answer;
    host.good_at = now;
  } else if (answer.error().slug == "no_such_name") {
    host.good.clear();
  } else if (is_good(host, now, options_.kept_for)) {
    answer = host.good;
  }
  host.fresh_until = now + (host.failed_before ? options_.failure_for : options_.fresh_for);
  host.answer = answer;
  start_lookups();
  answer_all(host, answer);
}

/// A callback may ask again, or destroy this resolver: nothing of it is touched after the first.
void Resolver::answer_all(Host& host, const Result<Addresses>& answer) {
  host.patience.disarm();
  const std::vector<Callback> waiting = std::exchange(host.waiting, {});
  const Result<Addresses> told = answer;
  for (const Callback& done : waiting) done(told);
}

void Resolver::forget_stale() {
  const Moment now = std::chrono::steady_clock::now();
  std::erase_if(hosts_, [&](const auto& entry) {
    const Host& host = entry.second;
    return host.waiting.empty() && !host.running && !host.wanted && host.fresh_until < now &&
           !is_good(host, now, options_.kept_for);
  });
  // Not again before the number has doubled, so that sweeping costs each newcomer a constant.
  hosts_max_ = std::max(kHostsKept, hosts_.size() * 2);
}

}  // namespace carillon
