#include "tests/cluster_faults/crashing_cluster.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "tests/end_to_end/carillond.h"
#include "tests/end_to_end/json_find.h"
#include "tests/storage/jetstream/nats_servers.h"
#include "tests/support/free_port.h"

namespace carillon::test {
namespace {

constexpr Millis kPatience = std::chrono::minutes(2);
constexpr Millis kPollPause{50};

/// By these names the shards are spread evenly over the first three, and the fourth gets its part.
constexpr std::array<std::string_view, 4> kNames = {"one", "two", "three", "five"};

/// The log is cleaned all the time.
const Process::Environment kSettings = {{"CARILLON_LOG_SLACK_BYTES", "64KiB"},
                                        {"CARILLON_RETAIN_FINISHED", "20s"}};

bool until(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kPollPause);
  }
  return true;
}

}  // namespace

Served CrashingCluster::served() {
  return {.by_cluster = true, .readable = std::chrono::seconds(15)};
}

CrashingCluster::CrashingCluster(ServerAddress& address) : address_(address) {
  write_file(dir_ / "secret", "0123456789abcdef0123456789abcdef\n");
  std::filesystem::permissions(dir_ / "secret", std::filesystem::perms::owner_read);
}

CrashingCluster::~CrashingCluster() {
  if (::testing::Test::HasFailure()) write_file("cluster-faults.log", logs());
}

CrashingCluster::Node CrashingCluster::add(const std::vector<std::string>& nats) {
  Member member;
  member.name = kNames.at(members_.size());
  const std::string host = fmt::format("127.0.0.1:{}", free_port());
  member.url = "http://" + host;
  member.config = dir_ / (member.name + ".toml");
  std::string servers;
  for (const std::string& server : nats) servers += fmt::format("\"{}\", ", server);
  write_file(member.config,
             fmt::format("listen = [\"{}\"]\ndata_dir = \"{}\"\n[cluster]\nname = \"faults\"\n"
                         "node = \"{}\"\nnats = [{}]\nadvertise = \"{}\"\nshards = {}\n"
                         "secret_file = \"{}\"\nstream_bytes_max = \"64MiB\"\n",
                         host, dir_ / member.name, member.name, servers, member.url, kShards,
                         dir_ / "secret"));
  members_.push_back(std::move(member));
  return members_.size() - 1;
}

void CrashingCluster::launch(Node node) {
  Member& member = members_[node];
  member.drained = false;
  member.process = std::make_unique<Process>(
      std::vector<std::string>{program("carillond"), "--config", member.config}, kSettings);
}

void CrashingCluster::await_ready(Node node) {
  Member& member = members_[node];
  const bool ready = until([&] { return get(member, "/readyz").ok(); });
  if (!ready) ADD_FAILURE() << "node " << member.name << " is not ready";
  member.ready = true;
  publish();
}

void CrashingCluster::publish() {
  std::vector<std::string> urls;
  for (const Member& member : members_) {
    if (member.ready) urls.push_back(member.url);
  }
  address_.publish(std::move(urls));
}

void CrashingCluster::end(Member& member, int signal, const Ending& expected) {
  member.ready = false;
  member.process->signal(signal);
  const auto ending = member.process->wait(kPatience);
  if (ending != expected) {
    ADD_FAILURE() << "node " << member.name << " ended otherwise: " << (ending ? ending->code : 0)
                  << ", " << (ending ? ending->signal : 0) << '\n'
                  << member.process->errors();
  }
  member.logs_before += member.process->errors();
  member.process.reset();
  publish();
}

void CrashingCluster::kill(Node node) {
  end(members_[node], SIGKILL, {-1, SIGKILL});
}

void CrashingCluster::stop(Node node) {
  end(members_[node], SIGTERM, {0, 0});
}

void CrashingCluster::freeze(Node node) {
  members_[node].ready = false;
  members_[node].process->signal(SIGSTOP);
  publish();
}

void CrashingCluster::thaw(Node node) {
  members_[node].process->signal(SIGCONT);
  members_[node].ready = true;
  publish();
}

void CrashingCluster::drain(Node node) {
  Member& member = members_[node];
  client::ApiClient api(client::parse_endpoint(member.url).value(), {});
  const auto answer = api.call("POST", "/v1/cluster/nodes/" + member.name + ":drain");
  EXPECT_TRUE(answer && answer->ok()) << (answer ? answer->body : answer.error().detail);
  member.drained = true;
}

client::ApiAnswer CrashingCluster::get(const Member& member, const std::string& path) {
  client::ApiClient api(client::parse_endpoint(member.url).value(), {});
  const auto answer = api.call("GET", path);
  return answer ? *answer : client::ApiAnswer{};
}

bool CrashingCluster::is_whole_for(const Member& member) const {
  const auto answer = get(member, "/v1/cluster");
  simdjson::dom::parser parser;
  simdjson::dom::array shards;
  if (!answer.ok() || parser.parse(answer.body)["shards"].get(shards) != simdjson::SUCCESS)
    return false;
  const auto number_of = [&](std::string_view name) {
    const auto found = std::ranges::find(members_, name, &Member::name);
    return static_cast<Node>(found - members_.begin());
  };
  const auto may_own = [](const Member& its) { return its.process && !its.drained; };
  const auto could = std::ranges::count_if(members_, may_own);
  for (const auto shard : shards) {
    std::string_view owner;
    if (shard["owner"].get(owner) != simdjson::SUCCESS) return false;
    const Node node = number_of(owner);
    if (node == members_.size() || !may_own(members_[node])) return false;
    simdjson::dom::array followers;
    if (shard["followers"].get(followers) != simdjson::SUCCESS) return false;
    if (could > 1 && followers.size() == 0) return false;
  }
  return true;
}

void CrashingCluster::become_whole() {
  const bool whole = until([&] {
    return std::ranges::all_of(
        members_, [&](const Member& member) { return !member.process || is_whole_for(member); });
  });
  if (whole) return;
  for (const Member& member : members_) {
    if (member.process) ADD_FAILURE() << "not whole: " << get(member, "/v1/cluster").body;
  }
}

CrashingCluster::Node CrashingCluster::owner_of(std::size_t shard) const {
  for (const Member& member : members_) {
    if (!member.ready) continue;
    const std::string owner =
        text_at(get(member, "/v1/cluster").body, fmt::format("/shards/{}/owner", shard));
    const auto found = std::ranges::find(members_, owner, &Member::name);
    return static_cast<Node>(found - members_.begin());
  }
  return members_.size();
}

bool CrashingCluster::owns(Node node) const {
  for (std::size_t shard = 0; shard < kShards; ++shard) {
    if (owner_of(shard) == node) return true;
  }
  return false;
}

void CrashingCluster::await_cut_off() const {
  for (const Member& member : members_) {
    std::string said;
    EXPECT_TRUE(until([&] {
      said = get(member, "/readyz").body;
      return said.find("cut off from NATS") != std::string::npos;
    })) << member.name
        << " says " << said;
  }
}

std::size_t CrashingCluster::times_fenced() const {
  constexpr std::string_view kSaid = "another node has taken the shard over";
  const std::string said = logs();
  std::size_t times = 0;
  for (auto at = said.find(kSaid); at != said.npos; at = said.find(kSaid, at + 1)) ++times;
  return times;
}

std::string CrashingCluster::logs() const {
  std::string all;
  for (const Member& member : members_) {
    all += "--- node " + member.name + '\n' + member.logs_before;
    if (member.process) all += member.process->errors();
  }
  return all;
}

}  // namespace carillon::test
