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

/// A request without its answer. Its bytes are kept for their memory alone, once they are in `out`.
struct UnderWay {
  Request request;
  Mono::time_point since;
};

struct Connection {
  enum class State { down, connecting, up };
  State state = State::down;
  int fd = -1;
  int failures = 0;       // connections in a row that came to nothing
  bool answered = false;  // anything since it was connected
  bool watches_writable = false;
  bool in_line = false;        // for another request
  std::vector<UnderWay> ring;  // as large as the pipeline is deep
  std::size_t oldest = 0;      // its place in the ring
  std::size_t under_way = 0;   // how many, from the oldest on
  std::string out;             // requests that are not sent to their end
  std::size_t sent = 0;        // bytes of those
  std::string in;              // the start of an answer whose rest has not come

  [[nodiscard]] bool has_room() const { return state == State::up && under_way < ring.size(); }
};

class Generator {
 public:
  Generator(const Address& server, const Pace& pace, Workload& workload)
      : server_(server), pace_(pace), workload_(workload), connections_(pace.connections) {
    for (Connection& connection : connections_) connection.ring.resize(pace.pipeline);
  }
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
  [[nodiscard]] bool is_open_loop() const { return pace_.per_second > 0; }
  [[nodiscard]] bool is_past_end(Mono::time_point due) const {
    return pace_.duration.count() > 0 && due - start_ >= pace_.duration;
  }
  [[nodiscard]] bool is_done() const {
    return (over_ && under_way_ == 0) || (pace_.abandons && is_past_end(Mono::now()));
  }
  [[nodiscard]] Mono::time_point next_due() const;
  void connect(Connection& connection);
  void connected(Connection& connection);
  void connect_failed(Connection& connection);
  void retry_due();
  void drop(Connection& connection);
  void stand_in_line(Connection& connection);
  void send_due();
  void claim(Connection& connection);
  void flush(Connection& connection);
  void watch(Connection& connection, bool writable);
  void on_event(Connection& connection, std::uint32_t events);
  void on_readable(Connection& connection);
  void take_answers(Connection& connection, std::string_view bytes);
  void answered(const UnderWay& asked, const Answer& answer);
  void arm_timer();
  void wait();

  const Address& server_;
  Pace pace_;
  Workload& workload_;
  int epoll_ = -1, timer_ = -1;
  std::vector<Connection> connections_;
  std::deque<std::uint32_t> line_;  // connections with room, the longest waiting first
  std::deque<Retry> retries_;       // soonest first
  std::size_t alive_ = 0;           // connections that have not given up
  std::size_t under_way_ = 0;       // requests, of all connections
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
    if (is_done()) break;
    wait();
  }
  result_.abandoned = under_way_;
  result_.seconds = std::chrono::duration<double>(Mono::now() - start_).count();
  return std::move(result_);
}

Mono::time_point Generator::next_due() const {
  if (!is_open_loop()) return Mono::now();
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
  connection.state = State::up;
  watch(connection, false);
  stand_in_line(connection);
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

/// The connection is gone, and the requests on it will never be known to be answered.
void Generator::drop(Connection& connection) {
  ::close(connection.fd);
  connection.fd = -1;
  result_.broken += connection.under_way;
  under_way_ -= connection.under_way;
  connection.under_way = 0;
  connection.out.clear();
  connection.sent = 0;
  if (connection.in_line) std::erase(line_, index_of(connection));
  connection.in_line = false;
  connection.state = State::down;
  if (connection.answered) return connect(connection);
  connect_failed(connection);  // accepted and closed: as good as refused
}

void Generator::stand_in_line(Connection& connection) {
  if (connection.in_line || !connection.has_room()) return;
  connection.in_line = true;
  line_.push_back(index_of(connection));
}

/// An open loop gives each connection in turn what is due; a closed loop fills the one that comes
/// first, so that all it has room for is one send.
void Generator::send_due() {
  while (!over_ && !line_.empty()) {
    const auto due = next_due();
    if (is_open_loop() && due > Mono::now() && !is_past_end(due)) return;
    Connection& connection = connections_[line_.front()];
    line_.pop_front();
    connection.in_line = false;
    do {
      claim(connection);
    } while (!over_ && !is_open_loop() && connection.has_room());
    flush(connection);
    stand_in_line(connection);
  }
}

void Generator::claim(Connection& connection) {
  const auto due = next_due();
  UnderWay& asked =
      connection.ring[(connection.oldest + connection.under_way) % connection.ring.size()];
  if (is_past_end(due) || !workload_.next(asked.request)) {
    over_ = true;
    return;
  }
  asked.since = due;
  connection.out += asked.request.bytes;
  ++connection.under_way;
  ++under_way_;
  ++claimed_;
}

void Generator::flush(Connection& connection) {
  const std::string& bytes = connection.out;
  while (connection.sent < bytes.size()) {
    const ssize_t sent = ::send(connection.fd, bytes.data() + connection.sent,
                                bytes.size() - connection.sent, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return watch(connection, true);
    if (sent < 0) return drop(connection);
    connection.sent += static_cast<std::size_t>(sent);
  }
  connection.out.clear();
  connection.sent = 0;
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
  if (connection.state == State::up && (events & EPOLLOUT) != 0) flush(connection);
  if (connection.state == State::up && (events & ~static_cast<unsigned>(EPOLLOUT)) != 0) {
    on_readable(connection);
  }
}

void Generator::on_readable(Connection& connection) {
  const ssize_t got = ::recv(connection.fd, buffer_.data(), buffer_.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0 || connection.under_way == 0) return drop(connection);
  const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
  if (connection.in.empty()) {
    take_answers(connection, bytes);  // the usual case: whole answers, read where they lie
  } else {
    connection.in.append(bytes);
    take_answers(connection, connection.in);
  }
}

/// What is left of `bytes`, which may be those of `connection.in`, is the start of an answer.
void Generator::take_answers(Connection& connection, std::string_view bytes) {
  std::size_t taken = 0;
  while (connection.under_way > 0) {
    const UnderWay& asked = connection.ring[connection.oldest];
    Answer answer;
    const Parsed parsed = workload_.read(bytes.substr(taken), asked.request, answer);
    if (parsed == Parsed::incomplete) break;
    // More than the answers to what is under way is as wrong as half of one.
    const bool last = connection.under_way == 1;
    if (parsed == Parsed::bad || (last && taken + answer.bytes != bytes.size())) {
      return drop(connection);
    }
    taken += answer.bytes;
    connection.failures = 0;
    connection.answered = true;
    answered(asked, answer);
    connection.oldest = (connection.oldest + 1) % connection.ring.size();
    --connection.under_way;
    --under_way_;
    if (answer.close) return drop(connection);
  }
  if (connection.in.empty()) {
    connection.in.assign(bytes.substr(taken));
  } else {
    connection.in.erase(0, taken);
  }
  stand_in_line(connection);
}

void Generator::answered(const UnderWay& asked, const Answer& answer) {
  const Request& request = asked.request;
  const auto took = Mono::now() - asked.since;
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
  if (!over_ && is_open_loop() && !line_.empty()) at = next_due();
  if (!retries_.empty()) at = std::min(at, retries_.front().at);
  if (pace_.abandons) at = std::min<Mono::time_point>(at, start_ + pace_.duration);
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
    if (!is_open_loop()) send_due();  // what is answered first is asked again first
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
