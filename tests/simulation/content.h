// What the content of a task says in a simulation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace carillon {
struct TaskContent;
}

namespace carillon::simulation {

struct SimContent {
  std::uint64_t id = 0;
  std::uint64_t version = 0;
  std::uint64_t webhook = 0;
  std::uint32_t attempts_before = 0;

  /// As it is stored.
  [[nodiscard]] std::string row() const;
  static SimContent of(const TaskContent& content);
  static SimContent of_row(std::string_view row);
};

[[nodiscard]] std::string name_of_id(std::uint64_t id);

}  // namespace carillon::simulation
