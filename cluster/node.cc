#include "cluster/node.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/check.h"
#include "base/log.h"
#include "cluster/shares.h"
#include "engine/async.h"

namespace carillon {

namespace {

namespace asio = boost::asio;

using std::chrono::milliseconds;

constexpr milliseconds kPulse{100};
/// How soon a heartbeat goes out that is not to wait for its turn.
constexpr milliseconds kListen{25};
/// Within so long of its first heartbeat a node has heard all others.
constexpr milliseconds kHearOthers{1500};
/// A node listens for one of its own name before it speaks.
constexpr milliseconds kListenFirst{1000};
constexpr std::size_t kWorkers = 16;
/// A stream that does not answer holds one of the workers up for so long; then it is tried again.
constexpr milliseconds kReadPatience{20'000};
/// A mirror's own share of what is written ahead of its log: there are many of them.
constexpr std::uint64_t kWalAheadBytes = 256 << 10;

}  // namespace

ClusterNode::ClusterNode(Parts parts, ClusterSecret secret, std::unique_ptr<JetstreamClient> nats,
                         ClusterGenesis genesis)
    : its_(std::move(parts)),
      secret_(std::move(secret)),
      nats_(std::move(nats)),
      genesis_(genesis),
      incarnation_(random_hash()),
      subject_(heartbeat_subject(its_.options.name)),
      pulse_(its_.loop),
      members_({its_.options.node, incarnation_, genesis_.shards,
                static_cast<std::uint32_t>(its_.options.standbys)},
               its_.clock.mono()),
      in_line_(genesis_.shards),
      serving_(genesis_.shards),
      owners_(genesis_.shards),
      workers_(kWorkers) {
  own_.node = its_.options.node;
  own_.incarnation = incarnation_;
  own_.url = its_.options.advertise;
  own_.version = its_.version;
  own_.settings = agreed_settings(its_.engine);
  for (ShardNumber shard = 0; shard < genesis_.shards; ++shard) {
    hosts_.push_back(std::make_unique<ShardHost>(parts_of(shard)));
  }
  control_ = std::make_unique<Control>(
      Control::Parts{*nats_, control_stream(its_.options.name), genesis_, secret_});
}

ClusterNode::~ClusterNode() {
  close();
}

void ClusterNode::set_limits(const TargetLimits& limits) {
  static_cast<TargetLimits&>(its_.engine.shard) = limits;
  {
    const std::lock_guard lock(mutex_);
    own_.settings = agreed_settings(its_.engine);
  }
  for (ShardNumber shard = 0; shard < genesis_.shards; ++shard) {
    hosts_[shard]->set_limits(limits_share(limits, shard, genesis_.shards));
  }
}

ShardHost::Parts ClusterNode::parts_of(ShardNumber shard) {
  JetstreamLogOptions log;
  log.nats = nats_.get();
  log.stream = shard_stream(its_.options.name, shard);
  log.genesis = genesis_.genesis;
  log.content_bytes_max = its_.content_bytes_max;
  log.patience = kReadPatience;
  log.mirror.dir = its_.data_dir + "/shards/" + std::to_string(shard);
  log.mirror.post = [&loop = its_.loop](auto work) { asio::post(loop, std::move(work)); };
  log.mirror.on_failure = its_.on_failure;
  log.mirror.disk_free_min = its_.disk_free_min;
  log.mirror.wal_ahead_bytes = kWalAheadBytes;
  EngineOptions engine = engine_share(its_.engine, shard, genesis_.shards);
  engine.on_hold = [this, alive = std::weak_ptr(alive_)](
                       const std::string& target, const std::optional<TargetView::Held>& held) {
    if (!alive.expired()) hold_changed(target, held);
  };
  return {.loop = its_.loop,
          .workers = workers_,
          .clock = its_.clock,
          .sink = its_.sink,
          .urls = its_.urls,
          .log = std::move(log),
          .engine = std::move(engine),
          .shard = shard,
          .incarnation = incarnation_,
          .open_logs = open_logs_,
          .changed =
              [this] {
                publish_map();
                send_now_ = true;
              },
          .owner_appended =
              [this, shard](std::uint64_t epoch) {
                members_.owner_appended(shard, epoch, its_.clock.mono());
              }};
}

void ClusterNode::start() {
  started_ = its_.clock.mono();
  heart_ = std::make_unique<Worker>("heart");
  settings_ = std::make_unique<Worker>("settings");
  heart_->post([this] { beat(); });
  for (ShardNumber shard = 0; shard < genesis_.shards; ++shard) {
    run_detached(its_.loop, keep_in_line(shard));
  }
  pulse();
}

void ClusterNode::beat() {
  std::unique_ptr<StreamSubscription> others;
  MonoTime sent{};
  std::string refused;
  while (!closing_) {
    if (!others) {
      auto listening = nats_->listen(subject_);
      if (listening) {
        others = std::move(*listening);
      } else {
        std::this_thread::sleep_for(kListen);
      }
    }
    const MonoTime now = its_.clock.mono();
    if (now - started_ >= kListenFirst &&
        (send_now_.exchange(false) || now - sent >= Membership::kHeartbeat)) {
      sent = now;
      send_heartbeat();
    }
    if (!others) continue;
    const auto received = others->next(kListen);
    if (!received) {
      others.reset();
      continue;
    }
    if (!*received) continue;
    auto heartbeat = decode_heartbeat((*received)->bytes, genesis_.genesis.cluster, secret_);
    if (!heartbeat) {
      if (std::exchange(refused, heartbeat.error().detail) != refused) {
        log_warning("a heartbeat is refused", {{"why", heartbeat.error().detail}});
      }
      continue;
    }
    const Millis offset = heartbeat->now - its_.clock.wall();
    asio::post(its_.loop, [this, alive = std::weak_ptr(alive_), beat = std::move(*heartbeat),
                           at = its_.clock.mono(), offset] {
      if (!alive.expired()) heard(beat, at, offset);
    });
  }
}

void ClusterNode::send_heartbeat() {
  Heartbeat beat;
  {
    const std::lock_guard lock(mutex_);
    beat = own_;
  }
  beat.now = its_.clock.wall();
  std::erase_if(beat.holds, [&](const ToldHold& hold) { return hold.until <= beat.now; });
  for (const auto& host : hosts_) {
    if (const auto report = host->report()) beat.shards.push_back(*report);
  }
  nats_->publish(subject_, encode_heartbeat(beat, genesis_.genesis.cluster, secret_));
}

void ClusterNode::heard(const Heartbeat& heartbeat, MonoTime at, Millis offset) {
  const bool is_own = heartbeat.incarnation == incarnation_;
  if (is_own) {
    if (at - heard_itself_ >= Membership::kSilence) hears_since_ = at;
    heard_itself_ = at;
  }
  switch (members_.heard(heartbeat, at, is_own ? Millis(0) : offset)) {
    case Membership::Heard::known:
      break;
    case Membership::Heard::joined:
      log_info("node joined", {{"node", heartbeat.node}, {"url", heartbeat.url}});
      compare_settings(heartbeat);
      break;
    case Membership::Heard::restarted:
      log_info("node restarted", {{"node", heartbeat.node}});
      compare_settings(heartbeat);
      break;
    case Membership::Heard::namesake:
      if (at - started_ < Membership::kSilence) {
        its_.on_refused("another process at " + heartbeat.url + " is the node \"" + heartbeat.node +
                        "\" of this cluster; give this one another cluster.node");
      } else if (std::exchange(namesake_, heartbeat.incarnation) != heartbeat.incarnation) {
        log_error("another process has this node's name", {{"its_url", heartbeat.url}});
      }
      return;
  }
  const bool is_asked =
      std::ranges::find(heartbeat.to_leave, its_.options.node) != heartbeat.to_leave.end();
  if (is_asked && say_leaving()) {
    log_info("asked to give up all shards", {{"by", heartbeat.node}});
  }
  // Who has heard need not be asked again.
  if (heartbeat.leaving) stop_asking(heartbeat.node);
  publish_map();
  take_holds(heartbeat, is_own ? Millis(0) : offset);
}

void ClusterNode::compare_settings(const Heartbeat& other) const {
  for (const std::string& key : differing(agreed_settings(its_.engine), other.settings)) {
    log_warning("another node has a different value of a setting that should be the same on all",
                {{"setting", key}, {"node", other.node}});
  }
}

bool ClusterNode::say_leaving() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(own_.leaving, true)) return false;
  send_now_ = true;
  return true;
}

void ClusterNode::stop_asking(const std::string& node) {
  const std::lock_guard lock(mutex_);
  std::erase(own_.to_leave, node);
}

void ClusterNode::pulse() {
  if (stopping_) return;
  evaluate();
  pulse_.expires_after(kPulse);
  pulse_.async_wait([this](const boost::system::error_code& error) {
    if (!error) pulse();
  });
}

bool ClusterNode::hears_itself() const {
  return its_.clock.mono() - heard_itself_ < Membership::kSilence;
}

void ClusterNode::evaluate() {
  // Cut off from NATS it knows nothing of the others, nor does it at once when it is back: so
  // everything stays as it is.
  const MonoTime now = its_.clock.mono();
  const bool knows = hears_itself() && now - hears_since_ >= kHearOthers;
  for (ShardNumber shard = 0; knows && !storage_failed_ && shard < genesis_.shards; ++shard) {
    hosts_[shard]->set_duty(members_.duty(shard, hosts_[shard]->report(), now));
  }
  publish_map();
}

void ClusterNode::publish_map() {
  if (stopping_) return;
  std::vector<std::shared_ptr<Engine>> serving(genesis_.shards);
  std::vector<std::optional<NodeAddress>> owners(genesis_.shards);
  for (ShardNumber shard = 0; shard < genesis_.shards; ++shard) {
    auto engine = hosts_[shard]->served();
    if (engine != nullptr && in_line_[shard].engine.lock() == engine) serving[shard] = engine;
    const Membership::Owner* const owner = members_.owner(shard);
    if (owner == nullptr || owner->node == its_.options.node) continue;
    const Membership::Node* const node = members_.node(owner->node);
    if (node != nullptr) owners[shard] = NodeAddress{owner->node, node->last.url};
  }
  const std::lock_guard lock(mutex_);
  serving_.swap(serving);
  owners_ = std::move(owners);
  joined_ = hears_itself();
  ever_joined_ = ever_joined_ || joined_;
}

std::shared_ptr<TaskService> ClusterNode::local(ShardNumber shard) const {
  const std::lock_guard lock(mutex_);
  return serving_[shard];
}

std::optional<NodeAddress> ClusterNode::owner(ShardNumber shard) const {
  const std::lock_guard lock(mutex_);
  return owners_[shard];
}

std::string ClusterNode::not_ready_because() const {
  const std::lock_guard lock(mutex_);
  if (!joined_) return ever_joined_ ? "cut off from NATS" : "recovering";
  for (ShardNumber shard = 0; shard < genesis_.shards; ++shard) {
    if (serving_[shard] != nullptr || owners_[shard]) return {};
  }
  return "recovering";
}

Async<void> ClusterNode::leave(Millis deadline) {
  const MonoTime until = its_.clock.mono() + deadline;
  static_cast<void>(say_leaving());
  const auto owns = [this](const auto& host) { return host->served() != nullptr; };
  const auto others = [this] {
    const MonoTime now = its_.clock.mono();
    return hears_itself() &&
           std::ranges::any_of(members_.alive(now), [&](const Membership::Node* node) {
             return members_.eligible(*node, now) && node->last.node != its_.options.node;
           });
  };
  // To nobody there is nothing to give.
  while (std::ranges::any_of(hosts_, owns) && others() && its_.clock.mono() < until) {
    co_await nap();
  }
}

Async<void> ClusterNode::stop(Millis deadline) {
  const MonoTime until = its_.clock.mono() + deadline;
  stop_serving();
  for (const auto& host : hosts_) host->set_duty(Membership::Duty::none);
  const auto busy = [](const auto& host) { return host->busy(); };
  while ((std::ranges::any_of(hosts_, busy) || in_line_running_ > 0) && its_.clock.mono() < until) {
    co_await nap();
  }
}

void ClusterNode::stop_serving() {
  stopping_ = true;
  pulse_.cancel();
  const std::lock_guard lock(mutex_);
  serving_.assign(genesis_.shards, nullptr);
}

void ClusterNode::storage_failed() {
  storage_failed_ = true;
  for (const auto& host : hosts_) {
    if (const auto engine = host->served()) engine->storage_failed();
  }
}

void ClusterNode::close() {
  if (closing_.exchange(true)) return;
  stop_serving();
  if (heart_) heart_->close();
  alive_.reset();
  control_->close();
  if (settings_) settings_->close();
  // NATS may be away: what is not decided by now is not waited for.
  for (const auto& host : hosts_) host->give_up_waiting();
  const auto run_loop_while = [this](const auto& condition) {
    while (condition()) {
      its_.loop.restart();
      its_.loop.run_one_for(kListen);
    }
  };
  run_loop_while([this] { return in_line_running_ > 0; });
  hosts_.clear();
  run_loop_while([this] { return *open_logs_ > 0; });
  workers_.join();
}

}  // namespace carillon
