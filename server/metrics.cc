#include "server/metrics.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>

#include "cluster/cluster_view.h"
#include "engine/task_service.h"
#include "http/server.h"
#include "monitor/monitor.h"
#include "server/logging.h"
#include "tracing/tracer.h"

namespace carillon {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

struct Sample {
  std::string label;  // value of the family's one label; empty: no label
  double value = 0;
};

/// Families of one kind are built here, so that `text` reads as a list of what is shown.
class Families {
 public:
  explicit Families(std::vector<MetricFamily>& families) : families_(families) {}

  void add(MetricType type, std::string name, std::string help, std::string_view label,
           const std::vector<Sample>& samples) {
    MetricFamily family;
    family.name = std::move(name);
    family.help = std::move(help);
    family.type = type;
    for (const Sample& sample : samples) {
      ClientMetric metric;
      if (!label.empty()) metric.label = {{std::string(label), sample.label}};
      (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = sample.value;
      family.metric.push_back(std::move(metric));
    }
    families_.push_back(std::move(family));
  }
  void gauge(std::string name, std::string help, double value) {
    add(MetricType::Gauge, std::move(name), std::move(help), {}, {{{}, value}});
  }
  void counter(std::string name, std::string help, std::uint64_t value) {
    add(MetricType::Counter, std::move(name), std::move(help), {},
        {{{}, static_cast<double>(value)}});
  }
  void histogram(std::string name, std::string help, const Histogram& values) {
    histograms(std::move(name), std::move(help), {}, {std::pair(std::string(), &values)});
  }
  /// One for each value of the label.
  void histograms(std::string name, std::string help, std::string_view label,
                  const std::vector<std::pair<std::string, const Histogram*>>& all);

 private:
  std::vector<MetricFamily>& families_;
};

double number(std::uint64_t value) {
  return static_cast<double>(value);
}

/// How many of the values are at most `bound`, by halving the ranks: the r-th smallest value is the
/// quantile at r / count.
std::uint64_t count_up_to(const Histogram& values, Histogram::Micros bound) {
  std::uint64_t low = 0;
  std::uint64_t high = values.count();
  while (low < high) {
    const std::uint64_t middle = low + (high - low + 1) / 2;
    if (values.quantile((number(middle) - 0.5) / number(values.count())) <= bound) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

ClientMetric histogram_of(const Histogram& values) {
  constexpr double kMicrosPerSecond = 1e6;  // divided by, which is exact where 1e-6 is not
  constexpr std::int64_t kBoundsMicros[] = {
      100,    250,     500,     1'000,     2'500,     5'000,      10'000,      25'000,
      50'000, 100'000, 250'000, 1'000'000, 5'000'000, 30'000'000, 300'000'000, 3'600'000'000};
  ClientMetric metric;
  metric.histogram.sample_count = values.count();
  metric.histogram.sample_sum = values.mean_micros() * number(values.count()) / kMicrosPerSecond;
  for (const std::int64_t bound : kBoundsMicros) {
    metric.histogram.bucket.push_back({count_up_to(values, Histogram::Micros(bound)),
                                       static_cast<double>(bound) / kMicrosPerSecond});
  }
  return metric;
}

void Families::histograms(std::string name, std::string help, std::string_view label,
                          const std::vector<std::pair<std::string, const Histogram*>>& all) {
  MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = MetricType::Histogram;
  for (const auto& [value, values] : all) {
    family.metric.push_back(histogram_of(*values));
    if (!label.empty()) family.metric.back().label = {{std::string(label), value}};
  }
  families_.push_back(std::move(family));
}

void add_tasks(Families& families, const Stats& stats) {
  std::vector<Sample> states;
  for (int i = 0; i < kStates; ++i) {
    states.push_back(
        {std::string(kStateNames[i]), number(stats.counts[static_cast<std::size_t>(i)])});
  }
  families.add(MetricType::Gauge, "carillon_tasks", "Tasks by state", "state", states);
  families.gauge("carillon_backlog_tasks", "Tasks that are due and not fired yet",
                 number(stats.backlog));
  families.gauge("carillon_oldest_overdue_seconds", "How long the oldest of the backlog is overdue",
                 static_cast<double>(stats.oldest_overdue.value_or(Millis(0)).count()) * 1e-3);
}

void add_bounds(Families& families, const Stats& stats) {
  families.gauge("carillon_pending_max_tasks",
                 "Tasks that may wait at once, dead letters among them", number(stats.pending_max));
  families.gauge("carillon_retained_max_tasks", "Finished tasks that are kept at most",
                 number(stats.retained_max));
}

void add_counters(Families& families, const EngineCounters& counters) {
  families.add(MetricType::Counter, "carillon_task_events_total", "What happened to tasks", "event",
               {{"added", number(counters.added)},
                {"replaced", number(counters.replaced)},
                {"changed", number(counters.changed)},
                {"cancelled", number(counters.cancelled)},
                {"fired", number(counters.fired)},
                {"expired", number(counters.expired)},
                {"redriven", number(counters.redriven)},
                {"repeated", number(counters.repeated)}});
  families.add(MetricType::Counter, "carillon_pushes_total", "Pushes that came to an end",
               "outcome",
               {{"delivered", number(counters.delivered)},
                {"retrying", number(counters.retried)},
                {"dead", number(counters.died)}});
  families.counter("carillon_pushes_throttled_total",
                   "Pushes answered 429, or 503 with Retry-After", counters.throttled);
  std::vector<Sample> holds;
  for (std::size_t i = 0; i < counters.holds.size(); ++i) {
    holds.push_back({std::string(kHoldReasonNames[i]), number(counters.holds[i])});
  }
  families.add(MetricType::Counter, "carillon_target_holds_total",
               "Times a target was held, or held longer", "reason", holds);
  families.gauge("carillon_operations_remembered", "Named operations of the last day",
                 number(counters.operations));
  families.add(MetricType::Counter, "carillon_refused_total", "Adds and changes turned away",
               "reason",
               {{"overloaded", number(counters.refused_overloaded)},
                {"full", number(counters.refused_full)},
                {"no_space", number(counters.refused_no_space)}});
  families.counter("carillon_clock_steps_total", "Times the wall clock was set",
                   counters.clock_steps);
  families.histogram("carillon_lateness_seconds", "Start of a push minus its due time",
                     counters.lateness);
  families.histogram("carillon_commit_seconds", "Time to make one batch durable",
                     counters.commit_time);
}

void add_storage(Families& families, const Stats& stats) {
  families.gauge("carillon_log_bytes", "Log rows that are not trimmed yet",
                 number(stats.log.log_bytes));
  families.gauge("carillon_disk_bytes", "Files of the data directory",
                 number(stats.log.disk_bytes));
  families.gauge("carillon_disk_free_bytes", "Free on the data directory's disk",
                 number(stats.log.free_bytes));
  families.counter("carillon_commits_total", "Batches made durable", stats.log.commits);
  families.counter("carillon_commit_bytes_total", "Bytes handed to storage",
                   stats.log.commit_bytes);
  families.gauge("carillon_last_sequence", "Sequence of the last record of the log",
                 number(stats.last_sequence));
  families.add(MetricType::Gauge, "carillon_memory_bytes", "Memory by what it holds", "of",
               {{"tasks", number(stats.memory_tasks_bytes)},
                {"contents", number(stats.memory_content_bytes)},
                {"storage", number(stats.log.memory_bytes)}});
}

constexpr std::size_t kNamedTargetsMax = 500;

/// The targets that have series of their own, by name, and one more where there are more; and the
/// rest together.
struct SeenTargets {
  std::vector<TargetView> first;
  TargetCounts rest;
};

/// Series of their own have the first targets by name; the rest together is `other`. Each series
/// costs whoever collects them, and clients can make as many targets as they like.
void add_targets(Families& families, const SeenTargets& seen) {
  constexpr std::string_view kOther = "other";
  std::vector<Sample> waiting;
  std::vector<Sample> backlog;
  std::vector<Sample> in_flight;
  std::vector<Sample> held;
  const auto add = [&](std::string_view name, const TargetCounts& counts) {
    waiting.push_back({std::string(name), number(counts.waiting)});
    backlog.push_back({std::string(name), number(counts.backlog)});
    in_flight.push_back({std::string(name), number(counts.in_flight)});
    held.push_back({std::string(name), counts.held ? 1.0 : 0.0});
  };
  const bool too_many = seen.first.size() > kNamedTargetsMax;
  TargetCounts rest;
  for (std::size_t i = 0; i < std::min(seen.first.size(), kNamedTargetsMax); ++i) {
    const TargetView& target = seen.first[i];
    if (too_many && target.settings.name == kOther) {
      rest = target;  // its name is taken
    } else {
      add(target.settings.name, target);
    }
  }
  if (too_many) {
    add(kOther, {rest.waiting + seen.rest.waiting, rest.backlog + seen.rest.backlog,
                 rest.in_flight + seen.rest.in_flight});
  }
  if (waiting.empty()) return;
  families.add(MetricType::Gauge, "carillon_target_tasks", "Unfinished tasks of a target", "target",
               waiting);
  families.add(MetricType::Gauge, "carillon_target_backlog_tasks",
               "Tasks of a target that are due and not fired yet", "target", backlog);
  families.add(MetricType::Gauge, "carillon_target_pushes_in_flight",
               "Pushes to a target under way", "target", in_flight);
  families.add(MetricType::Gauge, "carillon_target_held", "1 where the target is held", "target",
               held);
}

void add_lanes(Families& families, const Stats& stats) {
  std::vector<Sample> waiting;
  std::vector<Sample> backlog;
  std::vector<Sample> in_flight;
  std::vector<std::pair<std::string, const Histogram*>> lateness;
  for (const LaneView& lane : stats.lanes) {
    waiting.push_back({lane.name, number(lane.waiting)});
    backlog.push_back({lane.name, number(lane.backlog)});
    in_flight.push_back({lane.name, number(lane.in_flight)});
    lateness.emplace_back(lane.name, &lane.lateness);
  }
  families.add(MetricType::Gauge, "carillon_lane_tasks", "Unfinished tasks of a lane", "lane",
               waiting);
  families.add(MetricType::Gauge, "carillon_lane_backlog_tasks",
               "Tasks of a lane that are due and not fired yet", "lane", backlog);
  families.add(MetricType::Gauge, "carillon_lane_pushes_in_flight", "Pushes of a lane under way",
               "lane", in_flight);
  families.histograms("carillon_lane_lateness_seconds",
                      "Start of a push of a lane minus its due time", "lane", lateness);
}

void add_delivery(Families& families, const Stats& stats) {
  families.gauge("carillon_pushes_in_flight", "Pushes under way", number(stats.delivery.in_flight));
  families.gauge("carillon_push_connections", "Connections open to receivers",
                 number(stats.delivery.connections_open));
  families.add(MetricType::Counter, "carillon_push_connections_total",
               "Connections taken for pushes", "kind",
               {{"made", number(stats.delivery.connections_made)},
                {"reused", number(stats.delivery.connections_reused)}});
}

void add_http(Families& families, const HttpStats& stats) {
  std::vector<Sample> answers;
  for (std::size_t digit = 2; digit < stats.by_status.size(); ++digit)
    answers.push_back({std::to_string(digit) + "xx", number(stats.by_status[digit])});
  families.add(MetricType::Counter, "carillon_http_answers_total", "Answers by class of status",
               "status", answers);
  families.gauge("carillon_http_connections", "Connections open", number(stats.open));
  families.counter("carillon_http_connections_accepted_total", "Connections that were served",
                   stats.accepted);
  families.counter("carillon_http_connections_refused_total",
                   "Connections turned away over the limit", stats.refused);
  families.gauge("carillon_http_handshakes", "TLS handshakes under way", number(stats.handshakes));
  families.gauge("carillon_http_buffer_bytes",
                 "Bodies that come in and answers that wait to go out", number(stats.buffer_bytes));
  families.counter("carillon_http_connections_given_up_total",
                   "Slow connections that made room for others", stats.given_up);
}

/// Of shards only what this node can tell: whom each belongs to, and how far its own copies are.
void add_cluster(Families& families, const ClusterView& view) {
  double owned = 0;
  double followed = 0;
  double ownerless = 0;
  std::vector<Sample> epochs;
  std::vector<Sample> behind;
  for (const ClusterView::Shard& shard : view.shards) {
    const std::string number_of_it = std::to_string(shard.shard);
    owned += shard.owner == view.node ? 1 : 0;
    ownerless += shard.owner ? 0 : 1;
    epochs.push_back({number_of_it, number(shard.epoch)});
    for (const ClusterView::Follower& follower : shard.followers) {
      if (follower.node != view.node) continue;
      ++followed;
      behind.push_back({number_of_it, number(follower.behind)});
    }
  }
  const auto alive = std::ranges::count_if(view.nodes, &ClusterView::Node::alive);
  families.gauge("carillon_cluster_nodes_alive", "Nodes of the cluster that are heard",
                 static_cast<double>(alive));
  families.add(MetricType::Gauge, "carillon_cluster_shards", "Shards as this node has them", "role",
               {{"owned", owned}, {"followed", followed}, {"ownerless", ownerless}});
  families.add(MetricType::Gauge, "carillon_shard_epoch", "How often a shard was taken over",
               "shard", epochs);
  families.add(MetricType::Gauge, "carillon_shard_behind_messages",
               "Messages that a follower of a shard does not have yet", "shard", behind);
  families.counter("carillon_shard_take_overs_total", "Times this node became a shard's owner",
                   view.taken_over);
  families.counter("carillon_shard_losses_total", "Times another node took a shard from this one",
                   view.lost);
}

void add_alarms(Families& families, const std::vector<Alarm>& open) {
  std::vector<Sample> samples;
  for (const std::string_view name : kAlarmNames) {
    samples.push_back(
        {std::string(name), static_cast<double>(std::ranges::count(open, name, &Alarm::name))});
  }
  families.add(MetricType::Gauge, "carillon_alarms_open", "Alarms that are open, by name", "alarm",
               samples);
}

void add_spans(Families& families, const Tracer::Counts& counts) {
  families.counter("carillon_spans_total", "Spans of adds and pushes that were made", counts.made);
  families.counter("carillon_spans_dropped_total",
                   "Spans that the collector did not take, or for which there was no room",
                   counts.dropped);
}

void add_process(Families& families, const Stats& stats) {
  families.counter("carillon_log_lines_dropped_total", "Log lines that standard error did not take",
                   log_lines_dropped());
  families.gauge("process_resident_memory_bytes", "Resident memory size in bytes",
                 number(stats.memory_resident_bytes));
  std::error_code ignored;
  const auto open = std::distance(std::filesystem::directory_iterator("/proc/self/fd", ignored),
                                  std::filesystem::directory_iterator());
  families.gauge("process_open_fds", "Number of open file descriptors", static_cast<double>(open));
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  families.gauge("process_max_fds", "Maximum number of open file descriptors",
                 number(limit.rlim_cur));
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  families.add(MetricType::Counter, "process_cpu_seconds_total",
               "Total user and system CPU time spent in seconds", {},
               {{{}, seconds(used.ru_utime) + seconds(used.ru_stime)}});
}

}  // namespace

Async<std::string> Metrics::text() const {
  std::vector<MetricFamily> all;
  Families families(all);
  families.add(MetricType::Gauge, "carillon_build_info", "1, with the version", "version",
               {{version_, 1}});
  if (http_ != nullptr) add_http(families, http_->stats());
  if (monitor_ != nullptr) add_alarms(families, monitor_->alarms().open());
  if (tracer_ != nullptr) add_spans(families, tracer_->counts());
  if (cluster_ != nullptr) add_cluster(families, co_await cluster_->view());
  if (tasks_ != nullptr) {
    families.gauge("carillon_ready", "1 where /readyz answers 200",
                   !draining_ && tasks_->not_ready_because().empty() ? 1 : 0);
    const Stats stats = co_await tasks_->stats();
    const EngineCounters counters = co_await tasks_->counters();
    SeenTargets targets;
    targets.first = co_await tasks_->targets({}, kNamedTargetsMax + 1);
    if (targets.first.size() > kNamedTargetsMax) {
      const std::string last = targets.first[kNamedTargetsMax - 1].settings.name;
      targets.rest = co_await tasks_->target_counts(last);
    }
    add_tasks(families, stats);
    add_bounds(families, stats);
    add_counters(families, counters);
    add_delivery(families, stats);
    add_lanes(families, stats);
    add_targets(families, targets);
    add_storage(families, stats);
    add_process(families, stats);
  }
  co_return prometheus::TextSerializer().Serialize(all);
}

}  // namespace carillon
