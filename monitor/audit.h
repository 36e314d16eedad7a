// Who changed settings, or many tasks at once, when and with what result: the last 1,000.
//
// Operation: an entry is a line of JSON. All of them are written whole to the file `audit` of
// data_dir, synced and renamed, by a thread of its own, which takes all that have come meanwhile
// in one. A file that cannot be read is begun anew; a line that is no JSON is passed over.
//
// Concurrency: any thread. Limitations: what was noted within the last moments before a crash may
// be missing; each node of a cluster has what it was asked itself.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "storage/worker.h"

namespace carillon {

class Audit {
 public:
  static constexpr std::size_t kEntriesMax = 1000;

  /// Reads what is there. data_dir must be there too.
  explicit Audit(std::string data_dir);
  ~Audit();
  Audit(const Audit&) = delete;
  Audit& operator=(const Audit&) = delete;

  struct Entry {
    WallTime at{};
    std::string_view who;     // a token's name; empty: no token was asked for
    std::string_view action;  // "POST /v1/groups/{group}:cancel"
    std::string_view of;      // which; empty: it is of none
    std::uint32_t status = 0;
    std::string_view result;  // JSON; empty: none is told
  };
  void note(const Entry& entry);
  /// At most `limit` of them as JSON, the newest first.
  [[nodiscard]] std::vector<std::string> last(std::size_t limit) const;

 private:
  void save();

  const std::string data_dir_;
  mutable std::mutex mutex_;
  std::deque<std::string> lines_;  // the oldest first
  bool saving_ = false;            // it will be, with what comes until then
  Worker worker_{"audit"};         // last, so that it ends first
};

}  // namespace carillon
