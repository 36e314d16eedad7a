#include "cluster/control.h"

#include <thread>
#include <type_traits>

#include <fmt/format.h>

#include "base/check.h"
#include "base/log.h"
#include "storage/bytes.h"

namespace carillon {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPatience{5000};
constexpr milliseconds kLook{100};
constexpr std::chrono::seconds kQuiet{2};

Error log_away(std::string_view why) {
  return {"log_away", "Nothing was done; NATS does not answer: " + std::string(why), ""};
}

template <typename Map, typename Edit>
Result<> edit(Map& map, const std::string& name, Edit edit_one) {
  const auto found = map.find(name);
  if (found == map.end())
    return storage_error("a change is about \"" + name + "\", which is not there");
  edit_one(found);
  return {};
}

/// The first message; nothing: the stream has none.
Result<std::optional<ClusterGenesis>> find_genesis(JetstreamClient& nats, const StreamName& stream,
                                                   const ClusterSecret& secret) {
  const auto extent = nats.extent(stream);
  if (!extent) {
    if (extent.error().slug == "no_stream") return std::optional<ClusterGenesis>();
    return extent.error();
  }
  if (extent->last == 0) return std::optional<ClusterGenesis>();
  const auto bytes = nats.message_at(stream, 1);
  if (!bytes) return bytes.error();
  // A server that lags has nothing there yet.
  if (!*bytes)
    return Error{"network", "NATS does not show the first message of " + stream.name, ""};
  auto message = decode_control(**bytes, secret);
  if (!message) return message.error();
  const auto* genesis = std::get_if<ClusterGenesis>(&message->change);
  if (genesis == nullptr) {
    return storage_error("the stream " + stream.name + " does not begin with a genesis");
  }
  return std::optional(*genesis);
}

Error lost_cluster(const ClusterWish& wish) {
  return {"storage",
          fmt::format("NATS has no cluster \"{}\" any more, but this node's data_dir belongs to "
                      "it ({}). Bring back the servers of NATS that have its streams, or "
                      "restore the cluster under another name.",
                      wish.name, hex_of(*wish.known)),
          ""};
}

/// Makes the streams and then appends the genesis, which of several nodes one succeeds in.
Result<> make_cluster(JetstreamClient& nats, const ClusterWish& wish, const ClusterSecret& secret) {
  const auto made = make_shard_streams(nats, wish, secret);
  if (!made) return made.error();
  if (!*made) return {};
  ClusterGenesis genesis;
  genesis.genesis.cluster = random_hash();
  const Hash128 key = random_hash();
  genesis.genesis.key = {key.low, key.high};
  genesis.shards = wish.shards;
  auto done = make_control_stream(nats, wish, secret, genesis, {});
  // Another node was faster: it is found in the next round.
  if (!done && done.error().slug == "config") return {};
  return done;
}

}  // namespace

StreamName control_stream(std::string_view cluster) {
  return {fmt::format("CARILLON_{}_control", cluster), fmt::format("carillon.{}.control", cluster)};
}

StreamName shard_stream(std::string_view cluster, ShardNumber shard) {
  return {fmt::format("CARILLON_{}_{}", cluster, shard),
          fmt::format("carillon.{}.shard.{}", cluster, shard)};
}

Result<bool> make_shard_streams(JetstreamClient& nats, const ClusterWish& wish,
                                const ClusterSecret& secret) {
  for (ShardNumber shard = 0; shard < wish.shards; ++shard) {
    const StreamName stream = shard_stream(wish.name, shard);
    if (auto made = nats.create(stream, wish.streams); !made) return made.error();
    const auto extent = nats.extent(stream);
    if (!extent) return extent.error();
    if (extent->last != 0) {
      // Somebody else may have made the cluster by now, and own its shards.
      const auto found = find_genesis(nats, control_stream(wish.name), secret);
      if (!found) return found.error();
      if (*found) return false;
      return storage_error(
          "the stream " + stream.name +
          " has messages, but its cluster has no genesis: a seed was cut short, or the control "
          "stream was deleted. Delete the streams to begin anew.");
    }
  }
  return true;
}

Result<> make_control_stream(JetstreamClient& nats, const ClusterWish& wish,
                             const ClusterSecret& secret, const ClusterGenesis& genesis,
                             const std::vector<control::Change>& settings) {
  const StreamName stream = control_stream(wish.name);
  StreamSettings limits = wish.streams;
  limits.bytes_max = -1;
  if (auto made = nats.create(stream, limits); !made) return made;
  StreamAppender appender(nats, stream);
  ControlMessage message;
  message.cluster = genesis.genesis.cluster;
  message.change = genesis;
  std::get<ClusterGenesis>(message.change).settings = settings.size();
  for (StreamPlace place = 1; place <= settings.size() + 1; ++place) {
    if (place > 1) message.change = settings[place - 2];
    message.nonce = random_hash();
    const std::string bytes = encode_control(message, secret);
    const auto how = appender.append(place, bytes, kPatience);
    if (!how) {
      return Error{"network", "NATS does not take the first messages of " + stream.name, ""};
    }
    if (*how == Appended::fenced) {
      return Error{"config", "the cluster \"" + wish.name + "\" was made by somebody else", ""};
    }
    message.previous = hash_of_message(genesis.genesis, bytes);
  }
  return {};
}

Result<ClusterGenesis> open_cluster(JetstreamClient& nats, const ClusterWish& wish,
                                    const ClusterSecret& secret, milliseconds patience) {
  const auto began = steady_clock::now();
  std::string told;
  while (true) {
    const auto found = find_genesis(nats, control_stream(wish.name), secret);
    if (found && *found) {
      const ClusterGenesis& genesis = **found;
      if (wish.known && *wish.known != genesis.genesis.cluster) {
        return Error{"config",
                     fmt::format("data_dir belongs to the cluster {}, but \"{}\" on these servers "
                                 "of NATS is {}. Give this node an empty data_dir to join it.",
                                 hex_of(*wish.known), wish.name, hex_of(genesis.genesis.cluster)),
                     ""};
      }
      if (genesis.shards != wish.shards) {
        return Error{"config",
                     fmt::format("cluster.shards is {}, but the cluster \"{}\" was made with {}. "
                                 "That cannot be changed; export into a new cluster instead.",
                                 wish.shards, wish.name, genesis.shards),
                     ""};
      }
      return genesis;
    }
    Result<> made{};
    if (!found) {
      if (found.error().slug == "storage") return found.error();
      made = found.error();
    } else if (!wish.known) {
      made = make_cluster(nats, wish, secret);
      if (made) continue;
      if (made.error().slug == "storage") return made.error();
    }
    if (steady_clock::now() - began >= patience) return made ? lost_cluster(wish) : made.error();
    if (std::string why = made ? lost_cluster(wish).detail : made.error().detail; why != told) {
      log_warning("the cluster cannot be joined yet", {{"why", why}});
      told = std::move(why);
    }
    std::this_thread::sleep_for(kLook);
  }
}

Result<> apply(ControlState& state, const control::Change& change) {
  return std::visit(
      [&]<typename T>(const T& its) -> Result<> {
        if constexpr (std::is_same_v<T, ClusterGenesis>) {
          return storage_error("a second genesis");
        } else if constexpr (std::is_same_v<T, control::SetTarget>) {
          auto settings = parse_stored_target(its.settings);
          if (!settings) return std::move(settings.error()).in("target " + its.name);
          settings->name = its.name;
          state.targets[its.name] = {std::make_shared<const TargetSettings>(std::move(*settings)),
                                     false};
          return {};
        } else if constexpr (std::is_same_v<T, control::SetLane>) {
          state.lanes[its.name] = {its.settings, false};
          return {};
        } else if constexpr (std::is_same_v<T, control::LetTargetGo> ||
                             std::is_same_v<T, control::KeepTarget>) {
          return edit(state.targets, its.name, [](auto found) {
            found->second.let_go = std::is_same_v<T, control::LetTargetGo>;
          });
        } else if constexpr (std::is_same_v<T, control::LetLaneGo> ||
                             std::is_same_v<T, control::KeepLane>) {
          return edit(state.lanes, its.name, [](auto found) {
            found->second.let_go = std::is_same_v<T, control::LetLaneGo>;
          });
        } else if constexpr (std::is_same_v<T, control::DeleteTarget>) {
          return edit(state.targets, its.name, [&](auto found) { state.targets.erase(found); });
        } else {
          return edit(state.lanes, its.name, [&](auto found) { state.lanes.erase(found); });
        }
      },
      change);
}

std::optional<control::Change> keep_if_let_go(const ControlState& state,
                                              const control::Change& keep) {
  const auto is_let_go = [](const auto& map, const std::string& name) {
    const auto found = map.find(name);
    return found != map.end() && found->second.let_go;
  };
  const auto* target = std::get_if<control::KeepTarget>(&keep);
  const auto* lane = std::get_if<control::KeepLane>(&keep);
  const bool wanted = target != nullptr ? is_let_go(state.targets, target->name)
                                        : lane != nullptr && is_let_go(state.lanes, lane->name);
  return wanted ? std::optional(keep) : std::nullopt;
}

Control::Control(Parts parts)
    : its_(std::move(parts)),
      appender_(its_.nats, its_.stream),
      state_(std::make_shared<const ControlState>()),
      follower_("control") {
  follower_.post([this] { follow(); });
}

Control::~Control() {
  close();
}

void Control::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    advanced_.notify_all();
  }
  appender_.close();
  follower_.close();
}

bool Control::closing() const {
  const std::lock_guard lock(mutex_);
  return closing_;
}

std::shared_ptr<const ControlState> Control::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void Control::follow() {
  while (!closing()) {
    auto subscription = its_.nats.subscribe(its_.stream, state()->place + 1);
    if (subscription) {
      receive(**subscription);
    } else {
      std::unique_lock lock(mutex_);
      advanced_.wait_for(lock, kLook, [this] { return closing_; });
    }
    const std::lock_guard lock(mutex_);
    if (fault_) return;
  }
}

void Control::receive(StreamSubscription& subscription) {
  for (auto heard = steady_clock::now(); !closing();) {
    const auto received = subscription.next(kLook);
    if (!received) return;
    if (!*received) {
      if (steady_clock::now() - heard < kQuiet) continue;
      heard = steady_clock::now();
      const auto extent = its_.nats.extent(its_.stream);
      if (!extent || extent->last > state()->place) return;
      continue;
    }
    heard = steady_clock::now();
    const StreamPlace next = state()->place + 1;
    if ((*received)->place < next) continue;
    if ((*received)->place > next) return;
    if (const auto taken = take((*received)->bytes); !taken) {
      log_error("the cluster's settings are not followed any more",
                {{"stream", its_.stream.name}, {"place", next}, {"why", taken.error().detail}});
      const std::lock_guard lock(mutex_);
      fault_ = taken.error();
      advanced_.notify_all();
      return;
    }
  }
}

Result<> Control::take(std::string_view bytes) {
  const auto message = decode_control(bytes, its_.secret);
  if (!message) return message.error();
  if (message->cluster != its_.genesis.genesis.cluster)
    return storage_error("it is of another cluster");
  auto next = std::make_shared<ControlState>(*state());
  if (message->previous != last_hash_) return storage_error("the chain of hashes is broken");
  if (next->place > 0) {
    if (auto applied = apply(*next, message->change); !applied) return applied;
  }
  ++next->place;
  const std::lock_guard lock(mutex_);
  state_ = std::move(next);
  last_hash_ = hash_of_message(its_.genesis.genesis, bytes);
  advanced_.notify_all();
  return {};
}

bool Control::wait_beyond(StreamPlace place) {
  std::unique_lock lock(mutex_);
  advanced_.wait_for(lock, kPatience,
                     [&] { return state_->place > place || closing_ || fault_.has_value(); });
  return state_->place > place;
}

Result<std::shared_ptr<const ControlState>> Control::change(const Decide& decide) {
  const std::lock_guard one(changing_);
  ControlMessage message;
  message.cluster = its_.genesis.genesis.cluster;
  const auto began = steady_clock::now();
  while (steady_clock::now() - began < kPatience) {
    std::shared_ptr<const ControlState> state;
    {
      const std::lock_guard lock(mutex_);
      if (fault_) return *fault_;
      state = state_;
      message.previous = last_hash_;
    }
    // Before its genesis it has read nothing.
    if (state->place == 0) {
      if (!wait_beyond(0)) break;
      continue;
    }
    if (!is_whole(*state)) break;
    auto wanted = decide(*state);
    if (!wanted) return wanted.error();
    if (!*wanted) return state;
    message.nonce = random_hash();
    message.change = std::move(**wanted);
    const auto how =
        appender_.append(state->place + 1, encode_control(message, its_.secret), kPatience);
    if (!how) {
      return Error{"outcome_unknown",
                   "NATS does not answer, so the change may have been made or not. Send the same "
                   "again.",
                   ""};
    }
    const bool read_on = wait_beyond(state->place);
    if (*how == Appended::committed) {
      if (read_on) return this->state();
      return Error{"outcome_unknown",
                   "The change was made, but could not be read back. Send the same again.", ""};
    }
    if (!read_on) break;
  }
  return log_away("the control stream cannot be read");
}

Result<std::shared_ptr<const ControlState>> Control::read_to_end() {
  const auto began = steady_clock::now();
  Error why = log_away("the control stream cannot be read");
  while (steady_clock::now() - began < kPatience && !closing()) {
    const auto extent = its_.nats.extent(its_.stream);
    if (extent) {
      if (wait_beyond(extent->last - 1)) return state();
      break;
    }
    why = log_away(extent.error().detail);
    std::this_thread::sleep_for(kLook);
  }
  return why;
}

}  // namespace carillon
