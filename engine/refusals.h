// Why a command is not carried out, in the words of the API, and counted.
//
// What the driver replies is certain. What a command answers from memory alone is not where another
// node may own the shard by now, so it is confirmed first.
//
// Concurrency: the loop's thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/async.h"
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
  /// That refusal, once what memory says is confirmed; `moved` or `log_away` where it cannot be.
  [[nodiscard]] Async<Refusal> confirmed(Refusal why);
  /// The same of an answer that is no refusal: empty once it is confirmed.
  [[nodiscard]] Async<std::optional<Error>> outdated();

 private:
  [[nodiscard]] Error full(std::string detail, std::string field);
  [[nodiscard]] std::string why_full() const;

  LocalShard& local_;
};

/// Whether the shard got another owner, or its log was away, before it could answer.
[[nodiscard]] inline bool lost(const Reply& reply) {
  return reply.verdict == Verdict::moved || reply.verdict == Verdict::log_away ||
         reply.verdict == Verdict::outcome_unknown;
}
[[nodiscard]] Error outcome_unknown();
[[nodiscard]] Error not_found(std::string_view what);
[[nodiscard]] Error changed_all_the_time();
[[nodiscard]] Error default_lane_stays();
[[nodiscard]] Error too_many_lanes();
[[nodiscard]] Error too_much_reserved();

}  // namespace carillon
