// What is asked to be done to targets: set, changed, deleted, paused, tried.
//
// Operation: changes are made one after the other, since each starts from what the last one left
// and answers what it has made. A test push goes out as a real one does, of a task that is stored
// nowhere.
//
// Concurrency: the loop's thread only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/allowance.h"
#include "engine/async.h"
#include "engine/local_shard.h"
#include "engine/refusals.h"
#include "engine/requests.h"
#include "net/url_policy.h"

namespace carillon {

class TargetChanges {
 public:
  struct Parts {
    LocalShard& local;
    Refusals& refusals;
    UrlPolicy& urls;
    Allowance& changes;
  };
  /// All must outlive it.
  explicit TargetChanges(Parts parts) : its_(parts) {}

  /// Makes of the target of that name what `change` makes of it.
  [[nodiscard]] Async<Answer<PutAnswer<TargetView>>> change(std::string name, TargetChange change);
  [[nodiscard]] Async<Answer<>> remove(std::string_view name, bool force);
  [[nodiscard]] Async<Answer<TargetView>> pause(std::string_view name, bool paused);
  [[nodiscard]] Async<Answer<TestPush>> test(std::string_view name);

 private:
  [[nodiscard]] Answer<TargetSettings> changed(const std::string& name,
                                               const TargetChange& change) const;
  [[nodiscard]] Async<Answer<PutAnswer<TargetView>>> put(TargetSettings settings);
  [[nodiscard]] Push test_push(std::shared_ptr<const TargetSettings> target,
                               std::string_view webhook_id);

  Parts its_;
};

}  // namespace carillon
