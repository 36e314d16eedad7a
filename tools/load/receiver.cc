#include "tools/load/receiver.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <iterator>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "tools/load/batch_parser.h"
#include "tools/load/judge.h"
#include "tools/load/push_parser.h"

namespace carillon::load {
namespace {

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
constexpr std::string_view kBad =
    "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
constexpr std::size_t kReadBytes = std::size_t{256} << 10;
constexpr std::size_t kBodyBytesMax = std::size_t{64} << 20;
constexpr int kEventsMax = 256;

using Mono = std::chrono::steady_clock;

std::string failure_answer(std::uint16_t status) {
  return "HTTP/1.1 " + std::to_string(status) + " Refused\r\nContent-Length: 0\r\n\r\n";
}

Error network_error(std::string_view what) {
  return {"network", std::string(what) + ": " + std::strerror(errno), ""};
}

struct Connection {
  int fd = -1;
  std::uint32_t generation = 0;
  std::string in;   // the start of a push whose rest has not come
  std::string out;  // answers that the socket would not take yet
  bool close_after_out = false;
  bool watches_writable = false;
};

/// An answer that is held back. Every delay is equal, so they fall due in the order they came.
struct Held {
  Mono::time_point at;
  int fd = -1;
  std::uint32_t generation = 0;
  bool close = false;
  std::string answer;
};

}  // namespace

class Receiver::Impl {
 public:
  explicit Impl(const Options& options) : options_(options), buffer_(kReadBytes) {}
  ~Impl() {
    if (thread_.joinable()) {
      stopping_ = true;
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
      thread_.join();
    }
    for (const auto& connection : connections_) {
      if (connection) ::close(connection->fd);
    }
    for (const int fd : {listener_, wake_, epoll_}) {
      if (fd >= 0) ::close(fd);
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<> start();

  std::string url;
  Judge judge;

  mutable std::mutex mutex;  // guards the three below
  mutable std::condition_variable changed;
  ReceiverSummary summary;
  std::vector<Arrival> arrivals;

 private:
  Result<> bind_and_listen();
  void run();
  void accept_all();
  void on_readable(Connection& connection);
  std::size_t take_pushes(Connection& connection, std::string_view bytes, WallMicros now);
  void take_push(Connection& connection, const PushHead& head, std::string_view body,
                 WallMicros now);
  [[nodiscard]] std::string take_batch(std::string_view body, WallMicros now);
  void answer(Connection& connection, std::string_view text, bool close);
  void flush(Connection& connection);
  void release_held();
  [[nodiscard]] int wait_millis() const;
  void watch(Connection& connection, bool writable);
  void drop(Connection& connection);
  void publish();
  Connection* find(int fd, std::uint32_t generation);

  Options options_;
  int listener_ = -1, epoll_ = -1, wake_ = -1;
  std::thread thread_;
  std::atomic<bool> stopping_{false};

  // Of the thread alone.
  std::vector<char> buffer_;
  std::vector<std::unique_ptr<Connection>> connections_;  // by file descriptor
  std::uint32_t generation_ = 0;
  std::deque<Held> held_;
  BatchParser batches_;
  // Not published yet.
  std::uint64_t round_pushes_ = 0, round_bad_ = 0, round_connections_ = 0;
};

Result<> Receiver::Impl::start() {
  // Thousands of connections at once are the point of a held-back answer.
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  if (auto bound = bind_and_listen(); !bound) return bound;
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (epoll_ < 0 || wake_ < 0) return network_error("epoll");
  for (const int fd : {listener_, wake_}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = static_cast<std::uint64_t>(fd);
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) return network_error("epoll_ctl");
  }
  thread_ = std::thread([this] { run(); });
  return {};
}

Result<> Receiver::Impl::bind_and_listen() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options_.port);
  if (::inet_pton(AF_INET, options_.address.c_str(), &address.sin_addr) != 1) {
    return Error{"network", options_.address + " is no IPv4 address", ""};
  }
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener_ < 0) return network_error("socket");
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, SOMAXCONN) != 0 ||
      ::getsockname(listener_, generic, &size) != 0) {
    return network_error("listen on " + options_.address + ":" + std::to_string(options_.port));
  }
  url = "http://" + options_.address + ":" + std::to_string(ntohs(address.sin_port)) + "/";
  return {};
}

void Receiver::Impl::run() {
  std::array<epoll_event, kEventsMax> events{};
  while (!stopping_) {
    const int count = ::epoll_wait(epoll_, events.data(), kEventsMax, wait_millis());
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      const int fd = static_cast<int>(event.data.u64 & 0xffffffffU);
      if (fd == wake_) continue;
      if (fd == listener_) {
        accept_all();
        continue;
      }
      const auto generation = static_cast<std::uint32_t>(event.data.u64 >> 32);
      Connection* connection = find(fd, generation);
      if (connection != nullptr && (event.events & EPOLLOUT) != 0) flush(*connection);
      connection = find(fd, generation);
      if (connection != nullptr && (event.events & ~static_cast<unsigned>(EPOLLOUT)) != 0) {
        on_readable(*connection);
      }
    }
    release_held();
    publish();
  }
}

int Receiver::Impl::wait_millis() const {
  if (held_.empty()) return -1;
  const auto left = std::chrono::ceil<Millis>(held_.front().at - Mono::now());
  return std::max(0, static_cast<int>(left.count()));
}

Connection* Receiver::Impl::find(int fd, std::uint32_t generation) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= connections_.size() || !connections_[index]) return nullptr;
  return connections_[index]->generation == generation ? connections_[index].get() : nullptr;
}

void Receiver::Impl::accept_all() {
  while (true) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const auto index = static_cast<std::size_t>(fd);
    if (connections_.size() <= index) connections_.resize(index + 1);
    connections_[index] = std::make_unique<Connection>();
    Connection& connection = *connections_[index];
    connection.fd = fd;
    connection.generation = ++generation_;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = (std::uint64_t{connection.generation} << 32) | static_cast<unsigned>(fd);
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    ++round_connections_;
  }
}

void Receiver::Impl::watch(Connection& connection, bool writable) {
  if (connection.watches_writable == writable) return;
  connection.watches_writable = writable;
  epoll_event event{};
  event.events = EPOLLIN | (writable ? EPOLLOUT : 0U);
  event.data.u64 =
      (std::uint64_t{connection.generation} << 32) | static_cast<unsigned>(connection.fd);
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
}

void Receiver::Impl::drop(Connection& connection) {
  const auto index = static_cast<std::size_t>(connection.fd);
  ::close(connection.fd);
  connections_[index].reset();
}

void Receiver::Impl::on_readable(Connection& connection) {
  const int fd = connection.fd;
  const auto generation = connection.generation;
  const ssize_t got = ::recv(fd, buffer_.data(), buffer_.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return drop(connection);
  const WallMicros now = wall_now();
  std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
  if (connection.in.empty()) {
    // The usual case: whole pushes, parsed where they lie.
    const std::size_t used = take_pushes(connection, bytes, now);
    connection.in.assign(bytes.substr(used));
  } else {
    connection.in.append(bytes);
    connection.in.erase(0, take_pushes(connection, connection.in, now));
  }
  if (find(fd, generation) != nullptr && !connection.out.empty()) flush(connection);
}

std::size_t Receiver::Impl::take_pushes(Connection& connection, std::string_view bytes,
                                        WallMicros now) {
  std::size_t used = 0;
  while (used < bytes.size() && !connection.close_after_out) {
    const std::string_view rest = bytes.substr(used);
    PushHead head;
    const Parsed parsed = parse_push_head(rest, head);
    if (parsed == Parsed::incomplete) break;
    if (parsed == Parsed::bad || head.body_bytes > kBodyBytesMax) {
      ++round_bad_;
      connection.out += kBad;
      connection.close_after_out = true;
      return bytes.size();
    }
    if (rest.size() < head.head_bytes + head.body_bytes) break;
    take_push(connection, head, rest.substr(head.head_bytes, head.body_bytes), now);
    used += head.head_bytes + head.body_bytes;
  }
  return used;
}

void Receiver::Impl::take_push(Connection& connection, const PushHead& head, std::string_view body,
                               WallMicros now) {
  ++round_pushes_;
  if (head.tasks > 0) return answer(connection, take_batch(body, now), head.close);
  Arrival arrival;
  arrival.task_id = percent_decode(head.task_id).value_or(std::string(head.task_id));
  arrival.webhook_hash = hash_of(head.webhook_id);
  arrival.body_hash = hash_of(body);
  arrival.attempt = head.attempt;
  arrival.at = now;
  if (const auto due = parse_moment(head.due_at)) arrival.due = *due;
  const std::uint16_t status = judge.take(std::move(arrival));
  if (status < 300) return answer(connection, kOk, head.close);
  answer(connection, failure_answer(status), head.close);
}

/// The answer: a 200 that names the tasks that fail.
std::string Receiver::Impl::take_batch(std::string_view body, WallMicros now) {
  std::string results;
  const std::vector<BatchedPush>& tasks = batches_.parse(body);
  if (tasks.empty()) ++round_bad_;
  for (const BatchedPush& task : tasks) {
    Arrival arrival;
    arrival.task_id = task.task_id;
    arrival.webhook_hash = hash_of(task.webhook_id);
    arrival.body_hash = hash_of(task.payload);
    arrival.attempt = task.attempt;
    arrival.at = now;
    if (const auto due = parse_moment(task.due_at)) arrival.due = *due;
    const std::uint16_t status = judge.take(std::move(arrival));
    if (status < 300) continue;
    results += (results.empty() ? R"({"webhook_id":")" : R"(,{"webhook_id":")");
    results.append(task.webhook_id).append(R"(","status":)");
    append_number(results, status);
    results += '}';
  }
  if (results.empty()) return std::string(kOk);
  results = R"({"results":[)" + results + "]}";
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(results.size()) + "\r\n\r\n" + results;
}

void Receiver::Impl::answer(Connection& connection, std::string_view text, bool close) {
  if (options_.answer_delay.count() == 0) {
    connection.out += text;
    connection.close_after_out = close;
    return;
  }
  held_.push_back({Mono::now() + options_.answer_delay, connection.fd, connection.generation, close,
                   std::string(text)});
}

void Receiver::Impl::release_held() {
  if (held_.empty()) return;
  const auto now = Mono::now();
  while (!held_.empty() && held_.front().at <= now) {
    const Held held = std::move(held_.front());
    held_.pop_front();
    Connection* connection = find(held.fd, held.generation);
    if (connection == nullptr) continue;
    connection->out += held.answer;
    connection->close_after_out = held.close;
    flush(*connection);
  }
}

void Receiver::Impl::flush(Connection& connection) {
  while (!connection.out.empty()) {
    const ssize_t sent =
        ::send(connection.fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return watch(connection, true);
    if (sent < 0) return drop(connection);
    const bool all = static_cast<std::size_t>(sent) == connection.out.size();
    connection.out.erase(0, static_cast<std::size_t>(sent));
    if (!all) return watch(connection, true);
  }
  if (connection.close_after_out) return drop(connection);
  watch(connection, false);
}

void Receiver::Impl::publish() {
  if (judge.round.empty() && round_bad_ == 0 && round_connections_ == 0) return;
  {
    const std::lock_guard lock(mutex);
    for (const Arrival& arrival : judge.round) {
      if (summary.received++ == 0) summary.first = arrival.at;
      summary.last = arrival.at;
      if (arrival.answered < 300) {
        ++summary.accepted;
        summary.number_sum += trailing_number(arrival.task_id);
      }
      if (arrival.attempt <= 1) summary.lateness.record(arrival.at - arrival.due);
    }
    summary.pushes += std::exchange(round_pushes_, 0);
    summary.early += std::exchange(judge.early, 0);
    summary.duplicates += std::exchange(judge.duplicates, 0);
    summary.bad += std::exchange(round_bad_, 0);
    summary.connections += std::exchange(round_connections_, 0);
    if (options_.keep_arrivals) {
      std::move(judge.round.begin(), judge.round.end(), std::back_inserter(arrivals));
    }
  }
  judge.round.clear();
  changed.notify_all();
}

Receiver::Receiver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Receiver::~Receiver() = default;

Result<std::unique_ptr<Receiver>> Receiver::start(const Options& options) {
  auto impl = std::make_unique<Impl>(options);
  if (auto started = impl->start(); !started) return started.error();
  return std::unique_ptr<Receiver>(new Receiver(std::move(impl)));
}

const std::string& Receiver::url() const {
  return impl_->url;
}

void Receiver::set_failing(const Failing& failing) {
  impl_->judge.fail_status = failing.status;
  impl_->judge.fail_attempts = failing.attempts;
  impl_->judge.fail_share = failing.share;
}

void Receiver::set_clock(WallTime now) {
  impl_->judge.clock_ms = now.time_since_epoch().count();
}

ReceiverSummary Receiver::summary() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->summary;
}

bool Receiver::wait_for_accepted(std::uint64_t accepted, Millis patience) const {
  std::unique_lock lock(impl_->mutex);
  return impl_->changed.wait_for(lock, patience,
                                 [&] { return impl_->summary.accepted >= accepted; });
}

std::vector<Arrival> Receiver::take_arrivals() {
  const std::lock_guard lock(impl_->mutex);
  return std::exchange(impl_->arrivals, {});
}

}  // namespace carillon::load
