// Why a command is not carried out, in the words of the API, and counted.
//
// Concurrency: the loop's thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/local_shard.h"
#include "engine/requests.h"

namespace carillon {

class Refusals {
 public:
  /// `local` must outlive it.
  explicit Refusals(LocalShard& local) : local_(local) {}

  /// Commands are not taken now; see ShardDriver::closed.
  [[nodiscard]] std::optional<Error> closed() const { return local_.driver().closed(); }
  /// The same for what brings contents, which can wait until the disk has space again. `tasks`: how
  /// many would be refused.
  [[nodiscard]] std::optional<Error> closed_to_contents(std::uint64_t tasks = 1);
  /// What the verdict of a reply means to who asked, where that is not what was asked for.
  [[nodiscard]] Refusal of(const Reply& reply);

 private:
  [[nodiscard]] Error full(std::string detail, std::string field);
  [[nodiscard]] std::string why_full() const;

  LocalShard& local_;
};

/// Whether the shard got another owner before it could answer.
[[nodiscard]] inline bool lost(const Reply& reply) {
  return reply.verdict == Verdict::moved || reply.verdict == Verdict::outcome_unknown;
}
[[nodiscard]] Error not_found(std::string_view what);
[[nodiscard]] Error changed_all_the_time();

}  // namespace carillon
