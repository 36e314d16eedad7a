// What clients of a simulation ask for, and of whom.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "shard/command.h"
#include "tests/simulation/swarm.h"

namespace carillon::simulation {

struct Request {
  Deed deed = Deed::add;
  std::uint64_t id = 0;
  std::uint64_t version = 0;
  WallTime due{};
  std::uint64_t group = 0;
  bool by_url = false;
  std::optional<Millis> expire_after;
  MergeRule merge;
  TaskNumber number = 0;   // redrive, remove_dead: which
  Millis by{};             // group_shift
  std::uint64_t name = 0;  // of a group's operation or a redrive; 0: none
};

using Answered = std::function<void(const Reply&)>;

/// A server, or several that look like one.
class Service {
 public:
  Service() = default;
  virtual ~Service() = default;
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  [[nodiscard]] virtual bool up() const = 0;
  /// `answered` may never be called.
  virtual void handle(const Request& request, Answered answered) = 0;
  /// The newest dead letter of an id: its number and version.
  [[nodiscard]] virtual std::optional<std::pair<TaskNumber, std::uint64_t>> dead_letter(
      std::uint64_t id) = 0;
};

[[nodiscard]] std::string deed_name(Deed deed);
[[nodiscard]] std::string verdict_name(Verdict verdict);

}  // namespace carillon::simulation
