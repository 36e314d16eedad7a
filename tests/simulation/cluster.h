// A simulated cluster: some nodes over one stream, as a service for the clients of a simulation.
//
// Operation: a request goes to the node that took over last, or to any. What the stream
// takes is followed by the facts, whoever appended it.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "tests/simulation/node.h"

namespace carillon::simulation {

class Cluster final : public Service {
 public:
  Cluster(World& world, const Swarm& swarm, const Troubles& troubles, Coverage& coverage,
          std::vector<std::string>& faults, test::Ledger& ledger);

  void start();
  /// One of the nodes is hit.
  void crash() { any().crash(); }
  void pause();
  void cut_off();
  void away();
  void isolate();
  void hand_over();
  void clean_log();
  void operate();
  void touch();
  /// From now on nothing is lost, receivers accept, and no target is paused.
  void heal();
  /// Enters what the owner says of its tasks into the ledger, and looks for what waits too long.
  void tell_all();

  [[nodiscard]] bool up() const override { return true; }
  void handle(const Request& request, Answered answered) override;
  [[nodiscard]] std::optional<std::pair<TaskNumber, std::uint64_t>> dead_letter(
      std::uint64_t id) override;

 private:
  void taken(const ModelStream::Message& message);
  void heartbeat(Node& from);
  void handed_over(Node& from);
  void resume_targets();
  [[nodiscard]] Node& any() { return *nodes_[world_.below(nodes_.size())]; }
  /// The owner, as far as is known; null: none.
  [[nodiscard]] Node* owner();
  [[nodiscard]] Moment while_away();

  World& world_;
  Swarm swarm_;
  Troubles troubles_;
  Coverage& coverage_;
  std::vector<std::string>& faults_;
  test::Ledger& ledger_;
  Facts facts_;
  std::shared_ptr<ModelStream> stream_;
  Sequence last_sequence_ = 0;
  std::uint64_t webhooks_ = 0;
  std::map<TaskNumber, std::uint64_t> versions_;
  std::map<TaskNumber, Moment> fired_at_;
  std::uint64_t owner_ = 0;  // the number of the node that took over last
  bool healed_ = false;
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace carillon::simulation
