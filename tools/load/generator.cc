#include "tools/load/generator.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tools/load/address.h"

namespace carillon::load {
namespace {

using Mono = std::chrono::steady_clock;

constexpr std::size_t kReadBytes = std::size_t{256} << 10;
constexpr int kEventsMax = 256;
constexpr std::chrono::milliseconds kReconnectPause{50};
constexpr int kReconnectsMax = 100;  // in a row; then the connection gives up

struct Connection {
  enum class State { down, connecting, idle, busy };
  State state = State::down;
  int fd = -1;
  int failures = 0;       // connections in a row that came to nothing
  bool answered = false;  // anything since it was connected
  bool watches_writable = false;
  Request request;
  std::size_t sent = 0;  // of the request's bytes
  Mono::time_point since;
  std::string in;  // the start of an answer whose rest has not come
};

class Generator {
 public:
  Generator(const Address& server, const Pace& pace, Workload& workload)
      : server_(server), pace_(pace), workload_(workload), connections_(pace.connections) {}
  ~Generator() {
    for (const Connection& connection : connections_) {
      if (connection.fd >= 0) ::close(connection.fd);
    }
    for (const int fd : {epoll_, timer_}) {
      if (fd >= 0) ::close(fd);
    }
  }
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  Result<LoadResult> run();

 private:
  using State = Connection::State;
  struct Retry {
    Mono::time_point at;
    std::uint32_t index;
  };

  [[nodiscard]] std::uint32_t index_of(const Connection& connection) const {
    return static_cast<std::uint32_t>(&connection - connections_.data());
  }
  [[nodiscard]] Mono::time_point next_due() const;
  void connect(Connection& connection);
  void connected(Connection& connection);
  void connect_failed(Connection& connection);
  void retry_due();
  void drop(Connection& connection);
  void become_idle(Connection& connection);
  void send_due();
  void flush(Connection& connection);
  void watch(Connection& connection, bool writable);
  void on_event(Connection& connection, std::uint32_t events);
  void on_readable(Connection& connection);
  void take_answer(Connection& connection, std::string_view bytes);
  void answered(Connection& connection, const Answer& answer);
  void arm_timer();
  void wait();

  const Address& server_;
  Pace pace_;
  Workload& workload_;
  int epoll_ = -1, timer_ = -1;
  std::vector<Connection> connections_;
  std::deque<std::uint32_t> idle_;  // longest first, so that none is idle for long
  std::deque<Retry> retries_;       // soonest first
  std::size_t alive_ = 0;           // connections that have not given up
  std::size_t busy_ = 0;
  Mono::time_point start_;
  Mono::time_point armed_ = Mono::time_point::max();
  std::uint64_t claimed_ = 0;
  bool over_ = false;
  std::vector<char> buffer_ = std::vector<char>(kReadBytes);
  LoadResult result_;
};

Result<LoadResult> Generator::run() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u32 = UINT32_MAX;
  if (epoll_ < 0 || timer_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &event) != 0) {
    return Error{"unreachable", std::string("epoll: ") + std::strerror(errno), ""};
  }
  start_ = Mono::now();
  alive_ = connections_.size();
  for (Connection& connection : connections_) connect(connection);
  while (alive_ > 0) {
    retry_due();
    send_due();
    if (over_ && busy_ == 0) break;
    wait();
  }
  result_.seconds = std::chrono::duration<double>(Mono::now() - start_).count();
  return std::move(result_);
}

Mono::time_point Generator::next_due() const {
  if (pace_.per_second <= 0) return Mono::now();
  const std::chrono::duration<double> offset(static_cast<double>(claimed_) / pace_.per_second);
  return start_ + std::chrono::duration_cast<Mono::duration>(offset);
}

void Generator::connect(Connection& connection) {
  connection.in.clear();
  connection.answered = false;
  connection.fd = connect_socket(server_, false);
  if (connection.fd < 0) return connect_failed(connection);
  connection.state = State::connecting;
  connection.watches_writable = true;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT;
  event.data.u32 = index_of(connection);
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
}

void Generator::connected(Connection& connection) {
  int code = 0;
  socklen_t size = sizeof code;
  if (::getsockopt(connection.fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0 || code != 0) {
    ::close(connection.fd);
    connection.fd = -1;
    return connect_failed(connection);
  }
  watch(connection, false);
  become_idle(connection);
}

void Generator::connect_failed(Connection& connection) {
  connection.state = State::down;
  if (++connection.failures >= kReconnectsMax) {
    --alive_;
    return;
  }
  retries_.push_back({Mono::now() + kReconnectPause, index_of(connection)});
}

void Generator::retry_due() {
  if (retries_.empty()) return;
  const auto now = Mono::now();
  while (!retries_.empty() && retries_.front().at <= now) {
    Connection& connection = connections_[retries_.front().index];
    retries_.pop_front();
    connect(connection);
  }
}

/// The connection is gone, and the request on it, if any, will never be known to be answered.
void Generator::drop(Connection& connection) {
  ::close(connection.fd);
  connection.fd = -1;
  if (connection.state == State::busy) {
    --busy_;
    ++result_.broken;
  } else if (connection.state == State::idle) {
    std::erase(idle_, index_of(connection));
  }
  connection.state = State::down;
  if (connection.answered) return connect(connection);
  connect_failed(connection);  // accepted and closed: as good as refused
}

void Generator::become_idle(Connection& connection) {
  connection.state = State::idle;
  idle_.push_back(index_of(connection));
}

void Generator::send_due() {
  while (!over_ && !idle_.empty()) {
    const auto due = next_due();
    const bool late = pace_.duration.count() > 0 && due - start_ >= pace_.duration;
    if (!late && pace_.per_second > 0 && due > Mono::now()) return;
    Connection& connection = connections_[idle_.front()];
    if (late || !workload_.next(connection.request)) {
      over_ = true;
      return;
    }
    idle_.pop_front();
    ++claimed_;
    ++busy_;
    connection.state = State::busy;
    connection.sent = 0;
    connection.since = pace_.per_second > 0 ? due : Mono::now();
    flush(connection);
  }
}

void Generator::flush(Connection& connection) {
  const std::string& bytes = connection.request.bytes;
  while (connection.sent < bytes.size()) {
    const ssize_t sent = ::send(connection.fd, bytes.data() + connection.sent,
                                bytes.size() - connection.sent, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return watch(connection, true);
    if (sent < 0) return drop(connection);
    connection.sent += static_cast<std::size_t>(sent);
  }
  watch(connection, false);
}

void Generator::watch(Connection& connection, bool writable) {
  if (connection.watches_writable == writable) return;
  connection.watches_writable = writable;
  epoll_event event{};
  event.events = EPOLLIN | (writable ? EPOLLOUT : 0U);
  event.data.u32 = index_of(connection);
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
}

void Generator::on_event(Connection& connection, std::uint32_t events) {
  if (connection.state == State::connecting) return connected(connection);
  if (connection.state == State::busy && (events & EPOLLOUT) != 0) flush(connection);
  if (connection.fd >= 0 && (events & ~static_cast<unsigned>(EPOLLOUT)) != 0) {
    on_readable(connection);
  }
}

void Generator::on_readable(Connection& connection) {
  const ssize_t got = ::recv(connection.fd, buffer_.data(), buffer_.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0 || connection.state != State::busy) return drop(connection);
  const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
  if (connection.in.empty()) {
    take_answer(connection, bytes);  // the usual case: a whole answer, read where it lies
  } else {
    connection.in.append(bytes);
    take_answer(connection, connection.in);
  }
}

void Generator::take_answer(Connection& connection, std::string_view bytes) {
  Answer answer;
  const Parsed parsed = workload_.read(bytes, connection.request, answer);
  if (parsed == Parsed::incomplete) {
    if (connection.in.empty()) connection.in.assign(bytes);
    return;
  }
  // There is one request under way, so more than its answer is as wrong as half of one.
  if (parsed == Parsed::bad || answer.bytes != bytes.size()) return drop(connection);
  connection.in.clear();
  connection.failures = 0;
  connection.answered = true;
  answered(connection, answer);
  --busy_;
  become_idle(connection);
  if (answer.close) drop(connection);
}

void Generator::answered(Connection& connection, const Answer& answer) {
  const Request& request = connection.request;
  const auto took = Mono::now() - connection.since;
  result_.time.record(std::chrono::duration_cast<Histogram::Micros>(took));
  ++result_.requests;
  ++result_.statuses[answer.status];
  workload_.answered(request, answer.status);
  const bool good = answer.status >= 200 && answer.status < 300;
  const std::uint64_t refused = good ? std::min(answer.failed, request.tasks) : request.tasks;
  result_.refused += refused;
  result_.tasks += request.tasks - refused;
  if (refused == 0 && request.adds) {
    result_.number_sum += request.tasks * request.number + request.tasks * (request.tasks - 1) / 2;
  }
}

void Generator::arm_timer() {
  auto at = Mono::time_point::max();
  if (!over_ && pace_.per_second > 0 && !idle_.empty()) at = next_due();
  if (!retries_.empty()) at = std::min(at, retries_.front().at);
  if (at == armed_) return;
  armed_ = at;
  itimerspec spec{};  // all zero: disarmed
  if (at != Mono::time_point::max()) {
    const auto nanos = std::chrono::nanoseconds(at.time_since_epoch()).count();
    spec.it_value.tv_sec = nanos / 1'000'000'000;
    spec.it_value.tv_nsec = nanos % 1'000'000'000;
  }
  ::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &spec, nullptr);
}

void Generator::wait() {
  arm_timer();
  std::array<epoll_event, kEventsMax> events{};
  const int count = ::epoll_wait(epoll_, events.data(), kEventsMax, -1);
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    if (event.data.u32 == UINT32_MAX) {
      armed_ = Mono::time_point::max();  // it has gone off
      continue;
    }
    on_event(connections_[event.data.u32], event.events);
    if (pace_.per_second <= 0) send_due();  // what is answered first is asked again first
  }
}

}  // namespace

Result<LoadResult> run_load(const client::Endpoint& server, const Pace& pace, Workload& workload) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  const auto address = resolve(server);
  if (!address) return address.error();
  const int probe = connect_socket(*address, true);
  if (probe < 0) {
    return Error{"unreachable", std::string("cannot connect: ") + std::strerror(errno), ""};
  }
  ::close(probe);
  Generator generator(*address, pace, workload);
  return generator.run();
}

}  // namespace carillon::load
