#include "tools/replay/seed.h"

#include <algorithm>
#include <iostream>

#include <fmt/format.h>

#include "cluster/connect.h"
#include "cluster/seed.h"
#include "server/config.h"
#include "storage/bytes.h"
#include "storage/jetstream/jetstream_log.h"

namespace carillon::replay {

namespace {

constexpr std::chrono::seconds kNatsPatience{10};

/// Everything that a seed needs, in the order in which it is needed.
struct Sowing {
  ClusterOptions options;
  ClusterSecret secret;
  std::unique_ptr<JetstreamClient> nats;
};

Result<Sowing> prepare(const std::string& config_file) {
  const auto options = load_options({.config_file = config_file, .flags = {}}, read_environment());
  if (!options) return options.error();
  if (!options->cluster.given()) {
    return Error{"config", config_file + ": cluster.name is not set, so there is nothing to seed",
                 ""};
  }
  auto secret = ClusterSecret::read_file(options->cluster.secret_file);
  if (!secret) return secret.error();
  auto nats = connect_to_nats(options->cluster, kNatsPatience);
  if (!nats) return nats.error();
  if (auto enough = check_max_payload(**nats, options->api.limits.body_bytes_max); !enough) {
    return enough.error();
  }
  return Sowing{options->cluster, *std::move(secret), *std::move(nats)};
}

/// As a change of the cluster's settings, whose shards have it in their logs, too.
Result<std::vector<control::Change>> sow_settings(const Shard& shard, WallTime now,
                                                  ClusterSeed& seed) {
  std::vector<control::Change> settings;
  for (const LaneState& lane : shard.lanes().all()) {
    if (!lane.stands()) continue;
    if (auto added = seed.add(lane.settings); !added) return added.error();
    settings.emplace_back(
        control::SetLane{lane.settings.name, {lane.settings.weight, lane.settings.reserved}});
  }
  for (const TargetState* target : shard.named_targets()) {
    if (auto added = seed.add(target->settings); !added) return added.error();
    auto its = parse_stored_target(target->settings.settings);
    if (!its) return std::move(its).error();
    its->name = target->settings.name;
    its->paused = target->settings.paused;
    settings.emplace_back(control::SetTarget{its->name, format_target(*its, Secrets::stored)});
    if (!target->hold.active()) continue;
    if (auto added = seed.add(target->hold.record(target->settings.key)); !added)
      return added.error();
  }
  for (const record::Operation& done : shard.operations(now)) {
    if (auto added = seed.add(done); !added) return added.error();
  }
  return settings;
}

Result<SavedTasks> sow_tasks(Inspection& inspection, ClusterSeed& seed, ProgressLine& progress) {
  Result<> done;
  SavedTasks tasks = for_each_task_kept(
      *inspection.history, *inspection.salvage,
      [&](const Statement& task, const TaskContent& content, std::string_view row) {
        done = seed.add(task, content.id, row);
        return done.has_value();
      },
      progress.of("copying tasks"));
  if (!done) return done.error();
  for_each_note(
      *inspection.salvage,
      [&](TaskNumber number, std::string_view /*row*/, Note note) {
        done = seed.add(number, std::move(note));
        return done.has_value();
      },
      progress.of("copying notes"));
  if (!done) return done.error();
  return tasks;
}

}  // namespace

int seed(Inspection& inspection, const std::string& config_file, ProgressLine& progress) {
  const auto key = inspection.key();
  if (!key) return fail(key.error());
  auto sowing = prepare(config_file);
  if (!sowing) return fail(sowing.error());
  const History& history = *inspection.history;
  auto seed = ClusterSeed::begin({.nats = *sowing->nats,
                                  .wish = wish_of(sowing->options),
                                  .secret = sowing->secret,
                                  .key = *key,
                                  .next = inspection.next(),
                                  .at = history.last_at()});
  if (!seed) return fail(seed.error());
  const auto settings = sow_settings(history.shard(), history.last_at(), **seed);
  if (!settings) return fail(settings.error());
  const auto tasks = sow_tasks(inspection, **seed, progress);
  if (!tasks) return fail(tasks.error());
  const auto made = (*seed)->finish(*settings);
  if (!made) return fail(made.error());
  std::cout << fmt::format("seeded the cluster {} ({}) with {} in {}\n", sowing->options.name,
                           hex_of(made->genesis.cluster), counted(tasks->saved, "task", "tasks"),
                           counted(made->shards, "shard", "shards"));
  report_losses(inspection, *tasks);
  return inspection.log_is_whole() && tasks->lost.empty() ? kDone : kLost;
}

}  // namespace carillon::replay
