// Drives one shard: gives it commands and the time, makes its batches durable, hands its effects
// on.
//
// The shard (shard/shard.h) is a pure state machine; this is the loop around it, and it is the same
// in the server and in the simulation. So it knows no HTTP, no receivers and no event loop: the
// log, the clock, the loop's two services and the consumer of effects are handed in.
//
// Operation. Events come in: `submit`, `outcome`, `tick`, and the end of a commit. After each,
// effects are taken from the shard and handed on, and a commit is begun if one is wanted and none
// is under way; where the event may have changed it, the next wake-up is set. Callers and the
// consumer run inside these steps and may call the driver again, which is safe: effects are taken
// before anything is done with them.
//
// Commits. At most one is under way; what comes meanwhile is gathered for the next. Where the log
// is idle the batch is handed over at the loop's next turn, so that what other connections have
// ready shares the commit, or at once when it is half as large as the last ones: callers that were
// answered together ask again together, and the disk should not wait for all of them.
//
// Cleaning. When the log is larger than twice what restating everything takes, its oldest batches
// are read back, restated with the next commit and trimmed. It is under way until that trim is
// durable.
//
// Shared logs. Over a log that another node may come to own at any moment, memory alone is no
// ground to act on: the other one may have decided otherwise long ago. Whoever commits was the
// owner when the log took that commit, so a commit is what shows it, an empty one where there is
// nothing to write. A reply that answers no record waits for a commit that began after its command
// came, and many share one. What need not be quite so sure asks whether memory `is_fresh`.
//
// Away. A shared log that has not ended a commit within five seconds is away. Whoever waits is
// answered then: `log_away` where nothing was to be written; else `outcome_unknown`, since what
// memory has decided is written as soon as the log takes it. Whoever comes before the log is back
// is answered `log_away`. Tasks that fall due meanwhile are fired when it is back.
//
// Fenced. Where the log has taken another owner's batch in place of the one under way, the shard
// has decided what never came to be, so it and its driver are of no more use. Callers hear at once:
// `outcome_unknown` of what was sealed, `moved` of all else. From then on nothing is done; whoever
// made the driver discards it and may make another over the same log.
//
// Following. Before it is started a driver may be kept up to date with what the owner commits, so
// that it can take over at once. And an owner can hand the shard over: it fires nothing more, waits
// for the pushes under way, and lets go when all is durable.
//
// Concurrency: the loop's thread only, but for `not_ready_because`. What comes back from the log
// after the driver is gone is dropped. Limitations: storage that has failed stays failed.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/histogram.h"
#include "base/result.h"
#include "base/time.h"
#include "shard/shard.h"
#include "storage/log.h"

namespace carillon {

/// What the driver asks of the loop that it runs on. Neither is to call the driver once it is gone.
struct DriverLoop {
  /// Calls `turn` soon, on the loop's thread, never inside this call.
  std::function<void()> turn_soon;
  /// Calls `tick` at that moment. Replaces the moment before; empty: at none.
  std::function<void(std::optional<WallTime>)> wake_at;
};

/// Takes the shard's effects. Every member may call the driver.
class ShardConsumer {
 public:
  virtual ~ShardConsumer() = default;
  /// Their Fire is durable: each is to be pushed now, and then `outcome` be told, once.
  virtual void fired(std::vector<Fired> tasks) = 0;
  /// Contents that will be wanted within half a second. Those in `at_hand`, which are in the order
  /// of their numbers, can be taken from there.
  virtual void imminent(const std::vector<TaskNumber>& numbers, std::span<ContentRow> at_hand) = 0;
  /// Targets that were made, changed or deleted.
  virtual void targets_changed(const std::vector<TargetKey>& keys) = 0;
  /// Targets whose hold began, changed or ended.
  virtual void holds_changed(const std::vector<TargetKey>& keys) = 0;
  /// A commit is over, or storage has failed: whoever waits for something looks again.
  virtual void settled() = 0;
  /// The shard has another owner, and callers have been told. The driver is to be discarded, which
  /// may be done from here.
  virtual void fenced() = 0;
};

/// Somebody who waits for the replies to some commands; must live until one of its members is
/// called.
class Caller {
 public:
  /// The replies will be written to `into`, in the order of the commands.
  explicit Caller(Reply* into) : replies_(into) {}
  virtual ~Caller() = default;
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  [[nodiscard]] bool waits() const { return waits_; }
  /// All replies are there.
  virtual void answered() = 0;
  /// The driver is gone, and no reply will come.
  virtual void dropped() = 0;

 private:
  friend class ShardDriver;
  Reply* replies_;
  bool waits_ = false;
  std::size_t submitted_ = 0;
  std::size_t index_ = 0;  // in the driver's list, while it waits
};

/// What callers hear of what was not done because the shard has another owner. Slug: moved.
[[nodiscard]] Error moved();
/// What they hear of what was not done because the shared log does not answer. Slug: log_away.
[[nodiscard]] Error log_away();

struct DriverOptions {
  ShardOptions shard;
  /// Of records and contents that wait for the log; over it: overloaded.
  std::uint64_t pending_bytes_max = std::uint64_t{64} << 20;
  /// The log is cleaned when it is larger than twice what restating everything takes plus this.
  std::uint64_t log_slack_bytes = std::uint64_t{64} << 20;
  std::uint64_t batch_bytes_max = OpenBatch::kNoLimit;  // of one commit; see Shard::seal
  /// Another node may come to own the log.
  bool shared_log = false;
};

class ShardDriver {
 public:
  /// `clock`, `log` and `consumer` must outlive it.
  ShardDriver(DriverLoop loop, Clock& clock, Log& log, ShardConsumer& consumer,
              DriverOptions options);
  ~ShardDriver();
  ShardDriver(const ShardDriver&) = delete;
  ShardDriver& operator=(const ShardDriver&) = delete;

  // --- Its life.
  /// Replays the log; blocks. The latest time that it says, or error slug `storage`. `progress` as
  /// Log::read.
  [[nodiscard]] Result<WallTime> recover(
      const std::function<void(std::uint64_t, std::uint64_t)>& progress);
  /// What the owner has committed, in order. After `recover`, before `start`; of a shared log.
  void follow(const Batch& batch);
  /// Begins to take commands and to fire. After `recover`. What is found firing stays so for
  /// `firing_stays`: the owner before may still be pushing it.
  void start(Millis firing_stays = Millis(0));
  /// Fires nothing new and takes no commands; outcomes are still taken and made durable.
  void drain();
  /// The same for another owner of the shared log: who asks for something hears `moved`.
  void hand_over();
  /// After `hand_over`: outcomes are not taken any more, either, so that the log comes to rest.
  /// What is being pushed still is firing for the next owner.
  void let_go();
  /// No push is under way, or of no concern any more, and all is durable.
  [[nodiscard]] bool drained() const;
  /// The log takes nothing any more: fires nothing and takes no commands from now on.
  void storage_failed();
  /// Empty when commands are taken; else why not: "recovering", "following", "draining", "handing
  /// over", "storage failed", "fenced". Any thread.
  [[nodiscard]] std::string not_ready_because() const;
  /// The same as an error, also where too much waits for the log. Error slugs: not_ready,
  /// storage_failed, moved, log_away, overloaded.
  [[nodiscard]] std::optional<Error> closed() const;

  // --- Events.
  /// At least one command, which are consumed. A caller may submit more of them while it waits; in
  /// all at most a million.
  void submit(std::span<Command> commands, Caller& caller);
  /// A command whose reply nobody waits for.
  void submit(Command command);
  /// How the push of a fired task went, as Shard::outcome.
  void outcome(const Fired& fired, State state, WallTime retry_at, Note note,
               const std::optional<Trouble>& trouble = std::nullopt);
  /// The time has come that `wake_at` was told, or the clock was set. Nothing before `start`.
  void tick();
  /// The caller, who has submitted nothing, is answered when what memory says now is known to have
  /// been true: done; or moved. Of a shared log only.
  void confirm(Caller& caller);
  /// What was put off until now.
  void turn();

  // --- Commits.
  /// Begins a commit even if there is nothing to say but what time it is: a restart goes on from
  /// there. None may be under way.
  void commit();
  [[nodiscard]] bool committing() const { return committing_; }
  /// What memory says was true at some moment of the last second: this node sent an append then or
  /// later that was committed. Always where the log has one owner.
  [[nodiscard]] bool is_fresh() const;
  /// Sees to it that a commit ends soon. Whoever needs memory to be fresh looks again whenever the
  /// consumer hears `settled`, and asks again where it still is not.
  void refresh();
  /// Reads so much of the oldest of the log, to be restated and trimmed; nothing where that is
  /// under way.
  void clean(std::uint64_t bytes);

  /// Nothing is left to do at this moment, and all is durable.
  [[nodiscard]] bool at_rest() const;
  /// For questions: what changes it comes through the driver.
  [[nodiscard]] Shard& shard() { return shard_; }
  [[nodiscard]] const Shard& shard() const { return shard_; }
  [[nodiscard]] const Histogram& commit_times() const { return commit_times_; }

 private:
  enum class Phase {
    recovering,
    following,
    serving,
    draining,
    handing_over,
    let_go,
    failed,
    fenced
  };
  /// The shard is not this driver's business, not yet or not any more.
  [[nodiscard]] bool is_idle() const {
    return phase_ == Phase::recovering || phase_ == Phase::following || is_over();
  }
  [[nodiscard]] bool is_over() const { return phase_ == Phase::fenced || phase_ == Phase::let_go; }

  static constexpr std::chrono::seconds kAwayAfter{5};
  /// A caller, and how many of its replies are missing. Where it has been answered already, the
  /// place stays taken until these have come.
  struct Waiting {
    Caller* caller = nullptr;
    std::size_t missing = 0;
  };
  /// What callers that come now are answered; empty: their commands are taken.
  [[nodiscard]] std::optional<Verdict> refused() const;
  [[nodiscard]] bool is_away() const;
  void carry_out();
  void hand_on(Effects effects);
  [[nodiscard]] bool begin_waiting(Caller& caller, std::size_t replies);
  void add_caller(Caller& caller);
  [[nodiscard]] static Ticket ticket_of(const Caller& caller, std::size_t reply);
  void tell(Ticket ticket, Verdict verdict);
  void tell_all();
  void give_up_waiting();
  void reply(Reply& reply);
  void put_off(std::vector<Reply> replies);
  void sort_out(std::vector<Reply>& replies);
  [[nodiscard]] bool wants_commit() const;
  void begin_commit();
  void committed(Batch&& batch);
  void lose_shard();
  void make_space();
  void clean_if_worth();
  [[nodiscard]] std::optional<WallTime> next_wakeup() const;
  [[nodiscard]] bool is_due(const std::optional<WallTime>& next) const;
  void set_timer();
  void ask_for_turn();

  DriverLoop loop_;
  Clock& clock_;
  Log& log_;
  ShardConsumer& consumer_;
  DriverOptions options_;
  Shard shard_;
  std::atomic<Phase> phase_ = Phase::recovering;  // written on the loop's thread
  std::vector<Waiting> callers_;  // a ticket's upper bits are an index here, plus one
  std::vector<std::size_t> free_callers_;
  bool turn_asked_for_ = false;
  bool tick_in_turn_ = false;  // that turn is to tick
  bool committing_ = false;
  bool cleaning_ = false;  // from reading the oldest batches until their trim is durable
  bool trimming_ = false;  // the commit under way trims
  bool low_on_space_ = false;
  std::uint32_t commits_to_clean_check_ = 0;
  std::size_t commit_at_ = 0;     // so many records need not wait for the loop's turn
  std::size_t last_records_ = 0;  // of the last batch
  MonoTime commit_began_{};
  std::optional<MonoTime> firing_stays_until_;  // of what was found firing at the start
  // Of a shared log.
  std::optional<MonoTime> owner_at_;  // when the last append was sent that is committed
  bool refreshing_ = false;           // a commit is wanted that shows who the owner is
  bool gave_up_ = false;              // callers wait no longer for the commit under way
  std::vector<Reply> put_off_;        // until a commit has ended that is yet to begin
  std::vector<Reply> confirming_;     // until the one under way has
  Batch spare_;                       // its memory is used again
  Histogram commit_times_;
  /// Gone when the driver is: what comes back late from the log looks here first.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace carillon
