// Puts tasks that were fired together into one push.
//
// Operation. The shard says which tasks share a push (Fired::push) and gives them one slot. Their
// contents come one by one: `expect` says that one will, `add` that it has. Once all are there, or
// as many as a push may carry, they go out. What is too much for one push goes in further ones, one
// after the other, so that a slot never has two under way. Contents that are slow to come are not
// waited for: `settle` sends what did not grow since the last time.
//
// Halves. A push that a receiver refuses as a whole does not say which of 500 tasks it cannot
// stand. So they go again at once, each in the company of half as many, until the one is alone, and
// the others are delivered without it. That they were refused in company does not count against
// their attempts. Who may have how much company is kept in memory, of some tens of thousands;
// whoever is forgotten begins anew.
//
// Concurrency: the loop's thread only; what comes back after it is gone is dropped.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "delivery/sink.h"
#include "engine/driver.h"
#include "engine/pushing.h"

namespace carillon {

/// A task of a push, as it stands in its body.
struct BatchedTask {
  Pushing pushing;
  std::string webhook_id;
  std::string text;
};

/// Whom a batcher tells of its pushes.
class BatchTaker {
 public:
  /// The push of that task begins now; false: it has expired, and must not.
  [[nodiscard]] virtual bool begins(Pushing& task) = 0;
  /// That one was left out.
  virtual void expired(const Pushing& task) = 0;
  /// A push is over. `in_halves`: its tasks are to go again at once.
  virtual void batch_ended(std::vector<BatchedTask> tasks, const PushResult& whole,
                           std::vector<PushResult> results, bool in_halves) = 0;

 protected:
  ~BatchTaker() = default;
};

class Batcher {
 public:
  struct Parts {
    Sink& sink;
    ShardDriver& driver;
    std::mt19937_64& random;
    BatchTaker& taker;
  };
  /// All must outlive it.
  explicit Batcher(Parts parts) : its_(parts) {}
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  /// The task's content will come: one of `add` and `miss` will follow.
  void expect(const Fired& task) { ++slots_[key_of(task)].to_come; }
  void add(BatchedTask task);
  void miss(const Fired& task);
  /// Sends what waits for contents that do not come: all of it, or what did not grow since the last
  /// call.
  void settle(bool all);
  /// Memory may be fresh again: see ShardDriver::is_fresh.
  void go_on();
  /// The task will not be pushed again, or was delivered.
  void forget(TaskNumber number) { company_.erase(number); }

 private:
  static constexpr std::size_t kCompanyMax = 65'536;

  struct Slot {
    std::size_t to_come = 0;         // contents
    std::vector<BatchedTask> ready;  // with theirs
    std::size_t ready_bytes = 0;
    std::vector<BatchedTask> under_way;
    bool grew = false;     // since it was last settled
    bool settled = false;  // what is to come is not waited for
  };
  /// Of a task that shares its push with no other one: a key of its own.
  [[nodiscard]] static std::uint64_t key_of(const Fired& task) {
    return task.push != 0 ? task.push : (std::uint64_t{1} << 32) + task.number;
  }
  [[nodiscard]] static bool is_full(const Slot& slot);
  void go_on(std::uint64_t key);
  void send(std::uint64_t key, Slot& slot);
  [[nodiscard]] std::vector<BatchedTask> take(Slot& slot);
  void ended(std::uint64_t key, const PushResult& whole);
  [[nodiscard]] std::uint32_t company_of(const BatchedTask& task) const;

  Parts its_;
  JsonReader reader_;
  std::unordered_map<std::uint64_t, Slot> slots_;  // pushes that are made up or under way
  /// With how many others at most a task is pushed, itself included, where that was refused before.
  std::unordered_map<TaskNumber, std::uint32_t> company_;
  /// Gone when this is: what comes back late looks here first.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace carillon
