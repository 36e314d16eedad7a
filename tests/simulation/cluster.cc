#include "tests/simulation/cluster.h"

#include <utility>

#include "tests/shard/hand_driver.h"

namespace carillon::simulation {
namespace {

constexpr Moment kAwayMax = 20 * kSecond;
constexpr Millis kStuck = std::chrono::seconds(30);
/// From a decision to its commit by a node that was paused, or whose stream was away.
constexpr Millis kDecidedBefore = std::chrono::seconds(60);

Moment period(World& world) {
  constexpr Moment kPeriods[] = {0, 20 * kSecond, 8 * kSecond, 3 * kSecond};
  return kPeriods[world.below(4)];
}
std::uint32_t rate(World& world) {
  constexpr std::uint32_t kRates[] = {0, 0, 20, 100, 300};
  return kRates[world.below(5)];
}

}  // namespace

Troubles Troubles::draw(World& world) {
  Troubles troubles;
  troubles.nodes = 2 + world.below(3);
  if (world.chance(500)) troubles.clocks_apart = kApartMax;
  for (std::uint32_t* some : {&troubles.lost, &troubles.twice, &troubles.late, &troubles.slow_read})
    *some = rate(world);
  troubles.network = Moment{1} << (6 + world.below(9));  // 64 us to 16 ms
  for (Moment* some : {&troubles.crash, &troubles.pause, &troubles.cut_off, &troubles.isolate,
                       &troubles.away, &troubles.hand_over}) {
    *some = period(world);
  }
  return troubles;
}

Cluster::Cluster(World& world, const Swarm& swarm, const Troubles& troubles, Coverage& coverage,
                 std::vector<std::string>& faults, test::Ledger& ledger)
    : world_(world),
      swarm_(swarm),
      troubles_(troubles),
      coverage_(coverage),
      faults_(faults),
      ledger_(ledger),
      facts_(world, coverage, faults, 2 * troubles.clocks_apart + kDecidedBefore),
      stream_(std::make_shared<ModelStream>(
          [this](const ModelStream::Message& message) { taken(message); })) {
  for (std::uint64_t i = 0; i < troubles.nodes; ++i) {
    const auto apart = static_cast<std::uint64_t>(troubles.clocks_apart.count());
    nodes_.push_back(std::make_unique<Node>(
        Node::Around{.world = world_,
                     .swarm = swarm_,
                     .troubles = troubles_,
                     .coverage = coverage_,
                     .faults = faults_,
                     .ledger = ledger_,
                     .facts = facts_,
                     .stream = stream_,
                     .last_sequence = last_sequence_,
                     .webhooks = webhooks_,
                     .became_owner =
                         [this](Node& node) {
                           if (healed_)
                             node.after(0, [&node] { node.requests().resume_targets(); });
                         },
                     .heartbeat = [this](Node& from) { heartbeat(from); },
                     .handed_over = [this](Node& from) { handed_over(from); },
                     .fired_at = [this](TaskNumber number) -> std::optional<Moment> {
                       const auto found = fired_at_.find(number);
                       if (found == fired_at_.end()) return std::nullopt;
                       return found->second;
                     }},
        i, Millis(static_cast<std::int64_t>(world.below(apart + 1)))));
  }
}

void Cluster::start() {
  for (const auto& node : nodes_) node->start();
  nodes_.front()->take_over();
}

/// The stream has it.
void Cluster::taken(const ModelStream::Message& message) {
  if (message.takes_over) {
    world_.trace("the stream takes a take-over of node ", message.from);
    owner_ = message.from;
    return facts_.owner_changed();
  }
  const Batch& batch = message.batch;
  world_.trace("the stream takes ", batch.records.size(), " records from ", batch.first,
               " of node ", message.from);
  if (batch.records.empty()) ++coverage_["append: empty"];
  if (!batch.records.empty()) last_sequence_ = batch.last();
  for (const ContentRow& row : batch.contents) {
    versions_[row.number] = SimContent::of_row(row.bytes).version;
  }
  for (const Record& record : batch.records) {
    if (const auto* fire = std::get_if<record::Fire>(&record))
      fired_at_[fire->number] = world_.now();
  }
  facts_.follow(batch);
}

void Cluster::heartbeat(Node& from) {
  // Of one who does not know that he is not the owner any more the others see the older epoch.
  if (from.is_isolated() || from.index() != owner_) return;
  for (const auto& node : nodes_) {
    if (node.get() == &from || node->is_isolated() || world_.chance(troubles_.lost)) continue;
    world_.after(world_.pause(troubles_.network), [&node] { node->hear_owner(); });
  }
}

/// The next one need not wait until the owner is missed.
void Cluster::handed_over(Node& from) {
  for (const auto& node : nodes_) {
    if (node.get() == &from || !node->follows()) continue;
    const Moment way = world_.pause(troubles_.network);
    return world_.after(way, [&node] { node->after(0, [&node] { node->take_over(); }); });
  }
}

// --- Troubles.

Moment Cluster::while_away() {
  return world_.pause(world_.chance(500) ? kAwayMax / 2 : 2 * kSecond);
}

/// The owner more often than others.
void Cluster::pause() {
  Node* const node = world_.chance(700) ? owner() : &any();
  if (node != nullptr) node->pause(while_away());
}

void Cluster::cut_off() {
  any().cut_off(while_away());
}

/// The stream, from all of them.
void Cluster::away() {
  const Moment time = while_away();
  for (const auto& node : nodes_) node->cut_off(time);
}

void Cluster::isolate() {
  any().isolate(while_away());
}

void Cluster::hand_over() {
  if (Node* const node = owner()) node->after(0, [node] { node->hand_over(); });
}

void Cluster::clean_log() {
  if (Node* const node = owner()) node->after(0, [node] { node->clean_log(); });
}

void Cluster::operate() {
  Node* const node = owner();
  if (node == nullptr) return;
  // Late, it would leave targets paused that nobody resumes.
  node->after(0, [this, node] {
    if (node->owns() && !healed_) node->requests().operate();
  });
}

void Cluster::touch() {
  Node* const node = owner();
  if (node == nullptr) return;
  node->after(0, [node] {
    if (node->owns()) node->requests().touch();
  });
}

void Cluster::heal() {
  healed_ = true;
  troubles_.lost = troubles_.twice = troubles_.late = troubles_.slow_read = 0;
  swarm_.refused = swarm_.failed = swarm_.hangs = swarm_.gone = swarm_.lost_answer =
      swarm_.throttled = 0;
  // And again when what is on its way by now has come.
  for (const Moment pause : {Moment(0), kAwayMax}) {
    world_.after(pause, [this] { resume_targets(); });
  }
}

void Cluster::resume_targets() {
  Node* const node = owner();
  if (node == nullptr) return;
  node->after(0, [node] {
    if (node->owns()) node->requests().resume_targets();
  });
}

void Cluster::tell_all() {
  Node* const node = owner();
  if (node == nullptr) return faults_.emplace_back("nobody owns the shard"), void();
  for (const auto& one : nodes_) {
    if (!one->owns() && !one->follows()) continue;
    // Who was the owner may not have noticed that it is not any more.
    if (one->owns() && one.get() != node) continue;
    one->shard().check_invariants();
    facts_.expect_same(one->shard());
    if (one->shard().last_sequence() == last_sequence_) continue;
    faults_.push_back("node " + std::to_string(one->index()) + " is not at the stream's end");
  }
  for (std::uint32_t position = 0; position < node->shard().positions(); ++position) {
    const auto task = node->shard().at(position);
    if (!task) continue;
    const auto content = node->content_of(task->number);
    if (!content) {
      // Its time to be kept was over before the last take-over.
      if (finished(task->state) && task->state != State::dead) continue;
      faults_.push_back("the content of task " + std::to_string(task->number) + " is missing");
      continue;
    }
    ledger_.found(name_of_id(content->id), content->version, task->state);
  }
  for (const std::string& name : node->requests().unanswered()) {
    faults_.push_back("a " + name + " was never answered");
  }
  for (const TaskNumber number : facts_.waiting_since(world_.wall() - kStuck)) {
    faults_.push_back("task " + std::to_string(number) + " was due long ago and still waits");
  }
}

// --- Requests.

Node* Cluster::owner() {
  Node& node = *nodes_[owner_];
  return node.owns() ? &node : nullptr;
}

void Cluster::handle(const Request& request, Answered answered) {
  Node* const known = world_.chance(800) ? owner() : nullptr;
  Node& node = known != nullptr ? *known : any();
  node.request(request, std::move(answered));
}

std::optional<std::pair<TaskNumber, std::uint64_t>> Cluster::dead_letter(std::uint64_t id) {
  const auto number = facts_.newest_dead(fingerprint(id));
  if (!number) return std::nullopt;
  return std::pair(*number, versions_.at(*number));
}

}  // namespace carillon::simulation
