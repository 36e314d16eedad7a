#include "bench/peers/poller.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#include "bench/peers/resp.h"
#include "tools/load/address.h"

namespace carillon::bench {
namespace {

using Mono = std::chrono::steady_clock;

constexpr std::string_view kScript = R"(
local due = redis.call('ZRANGEBYSCORE', KEYS[1], 0, ARGV[1], 'WITHSCORES', 'LIMIT', 0, ARGV[2])
if #due == 0 then return {due, {}} end
local ids = {}
for i = 1, #due, 2 do ids[#ids + 1] = due[i] end
local payloads = redis.call('HMGET', KEYS[2], unpack(ids))
redis.call('ZREM', KEYS[1], unpack(ids))
redis.call('HDEL', KEYS[2], unpack(ids))
return {due, payloads}
)";

struct Member {
  std::string id;
  std::int64_t score = 0;
};

class Poller {
 public:
  Poller(int fd, const PollPlan& plan) : fd_(fd), plan_(plan), buffer_(std::size_t{1} << 20) {}
  ~Poller() { ::close(fd_); }
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  Result<load::ReceiverSummary> run();

 private:
  Result<std::uint64_t> turn();
  Result<> ask(std::string_view request);
  Parsed read_members(std::vector<Member>& members) const;
  void take(const std::vector<Member>& members);

  int fd_;
  PollPlan plan_;
  std::vector<char> buffer_;
  std::string in_;
  load::ReceiverSummary summary_;
};

Result<load::ReceiverSummary> Poller::run() {
  const auto start = Mono::now();
  const auto step = std::chrono::nanoseconds(plan_.interval) / plan_.pollers;
  for (std::int64_t tick = 1; summary_.accepted < plan_.count; ++tick) {
    const auto at = start + tick * step;
    if (at - start > plan_.patience) break;
    std::this_thread::sleep_until(at);
    std::uint64_t taken = 0;
    do {
      const auto done = turn();
      if (!done) return done.error();
      taken = *done;
    } while (plan_.drain && taken == plan_.batch);
  }
  return summary_;
}

Result<std::uint64_t> Poller::turn() {
  const auto now = std::chrono::floor<Millis>(load::wall_now()).time_since_epoch().count();
  std::string request;
  append_command(request, {"EVAL", kScript, "2", "tasks", "payloads", std::to_string(now),
                           std::to_string(plan_.batch)});
  if (auto asked = ask(request); !asked) return asked.error();
  std::vector<Member> members;
  if (read_members(members) != Parsed::complete) {
    return Error{"network", "an answer makes no sense: " + in_.substr(0, 200), ""};
  }
  take(members);
  return members.size();
}

/// Sends the request and reads one whole reply into `in_`.
Result<> Poller::ask(std::string_view request) {
  while (!request.empty()) {
    const ssize_t sent = ::send(fd_, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent <= 0) return Error{"network", std::string("send: ") + std::strerror(errno), ""};
    request.remove_prefix(static_cast<std::size_t>(sent));
  }
  in_.clear();
  Replies replies;
  while (parse_replies(in_, 1, replies) == Parsed::incomplete) {
    const ssize_t got = ::recv(fd_, buffer_.data(), buffer_.size(), 0);
    if (got <= 0) return Error{"network", "the connection broke", ""};
    in_.append(buffer_.data(), static_cast<std::size_t>(got));
  }
  return {};
}

Parsed Poller::read_members(std::vector<Member>& members) const {
  std::size_t at = 0;
  Token token;
  for (int arrays = 0; arrays < 2; ++arrays) {  // the answer's, and the members' in it
    if (next_token(in_, at, token) != Parsed::complete || token.type != '*') return Parsed::bad;
  }
  members.resize(static_cast<std::size_t>(token.number) / 2);
  for (Member& member : members) {
    if (next_token(in_, at, token) != Parsed::complete) return Parsed::bad;
    member.id = token.text;
    if (next_token(in_, at, token) != Parsed::complete) return Parsed::bad;
    const char* const end = token.text.data() + token.text.size();
    if (std::from_chars(token.text.data(), end, member.score).ec != std::errc{}) return Parsed::bad;
  }
  return Parsed::complete;
}

void Poller::take(const std::vector<Member>& members) {
  if (members.empty()) return;
  const auto now = load::wall_now();
  if (summary_.received == 0) summary_.first = now;
  summary_.last = now;
  for (const Member& member : members) {
    const auto late = now - load::WallMicros(Millis(member.score));
    if (late < Histogram::Micros(0)) ++summary_.early;
    summary_.lateness.record(late);
    summary_.number_sum += load::trailing_number(member.id);
  }
  summary_.received += members.size();
  summary_.accepted += members.size();
}

}  // namespace

Result<load::ReceiverSummary> poll(const client::Endpoint& server, const PollPlan& plan) {
  const auto address = load::resolve(server);
  if (!address) return address.error();
  const int fd = load::connect_socket(*address, true);
  if (fd < 0) return Error{"unreachable", std::string("connect: ") + std::strerror(errno), ""};
  Poller poller(fd, plan);
  return poller.run();
}

}  // namespace carillon::bench
