// The engine's inside: how events reach the shard and its effects leave it.
//
// Every path in ends with `carry_out`: the shard's effects are taken and carried out (callers
// resumed, pushes begun, contents fetched), a commit is begun if one is wanted and none is under
// way, and the timer is set. Resumed callers run inside `carry_out` and may come back in; effects
// are taken before anything is done with them, so that is safe.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/allowance.h"
#include "engine/content_cache.h"
#include "engine/engine.h"
#include "engine/fetch_queue.h"
#include "engine/push_bytes.h"
#include "engine/signal.h"
#include "engine/tick_timer.h"
#include "shard/listing.h"

namespace carillon {

/// A ticket names a waiter and one of its replies.
inline constexpr int kTicketBits = 20;
/// Entries looked at before a long look lets other work run: some 100 us.
inline constexpr std::uint32_t kSlice = 8192;
inline constexpr Ticket kTicketMask = (Ticket{1} << kTicketBits) - 1;

/// A webhook-id that no other push has.
[[nodiscard]] std::string make_webhook_id(std::mt19937_64& random);

class Engine::Impl {
 public:
  Impl(boost::asio::io_context& loop, Clock& clock, Log& log, Delivery& delivery, UrlPolicy& urls,
       EngineOptions options);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // drive.cc
  Result<> recover(const std::function<void(std::uint64_t, std::uint64_t)>& progress);
  void start();
  Async<void> drain(Millis deadline);
  Async<WallTime> advance_clock(Millis by);
  [[nodiscard]] bool clock_is_manual() const { return manual_clock_ != nullptr; }
  void storage_failed();
  [[nodiscard]] std::string not_ready_because() const;
  [[nodiscard]] bool short_of_space() const { return log_.stats().short_of_space; }

  // commands.cc
  [[nodiscard]] Result<PlannedAdd> plan(AddRequest request);
  Async<Answer<AddAnswer>> add(command::Add add);
  Async<std::vector<Answer<Added>>> add_batch(std::vector<Command> adds);
  Async<Answer<TaskView>> change(std::string_view id, ChangeRequest request);
  Async<Answer<CancelAnswer>> cancel(std::string_view id, bool retries);
  Async<std::vector<Answer<CancelAnswer>>> cancel_batch(std::vector<std::string_view> ids,
                                                        bool retries);
  Async<Answer<TaskView>> push_now(std::string_view id);
  Async<Answer<GroupCancelAnswer>> cancel_group(std::string_view name, std::string_view operation);
  Async<Answer<std::uint64_t>> shift_group(std::string_view name, Millis by,
                                           std::string_view operation);
  Async<Answer<bool>> change_target(std::string name, TargetChange change);
  Async<Answer<>> delete_target(std::string_view name, bool force);
  Async<Answer<>> pause_target(std::string_view name, bool paused);
  Async<Answer<TestPush>> test_target(std::string_view name);

  // dead.cc
  Async<Answer<TaskView>> redrive(std::string_view id, std::string_view operation);
  Async<Answer<>> remove_dead(std::string_view id);
  Async<Answer<std::uint64_t>> redrive_all(TaskFilter filter, std::string operation);
  Async<Answer<std::uint64_t>> purge_dead(TaskFilter filter);

  // queries.cc
  Async<Answer<TaskView>> get(std::string_view id);
  Async<Answer<GroupView>> group(std::string_view name);
  [[nodiscard]] Answer<TargetView> target(std::string_view name) const;
  [[nodiscard]] std::vector<TargetView> targets(std::string_view after, std::size_t limit) const;
  [[nodiscard]] std::size_t target_count() const { return target_names_.size(); }
  [[nodiscard]] TargetCounts target_counts(std::string_view after) const;
  [[nodiscard]] Stats stats() const;
  [[nodiscard]] const EngineCounters& counters();
  [[nodiscard]] std::vector<WheelLevel> wheel() const { return shard_.wheel_levels(); }
  Async<Result<>> checkpoint(std::string dir);
  [[nodiscard]] WallTime now() const { return clock_.wall(); }

  // lists.cc
  Async<Answer<Page>> list(TaskFilter filter, std::string cursor, std::size_t limit);
  Async<std::vector<ForecastBucket>> forecast(Millis bucket, WallTime from, WallTime to,
                                              std::optional<std::string> target);
  Async<std::vector<TaskView>> export_next(Export& its);

 private:
  /// Somebody who waits for one or more replies; lives in the waiting coroutine.
  struct Waiter {
    struct Resume {
      virtual ~Resume() = default;
      virtual void resume() = 0;
    };
    Reply* replies = nullptr;
    std::size_t missing = 0;
    std::unique_ptr<Resume> resume;  // set while it waits
  };
  enum class Phase { recovering, serving, draining, failed };
  /// What decides whether a task is in a listing, looked up once.
  struct Match {
    ListFilter tasks;
    // What only contents say.
    std::optional<std::string> target_url;
    std::optional<std::string> lane;
  };
  /// A fired task whose content is to be fetched.
  // drive.cc
  void carry_out();
  void carry_out_effects(Effects effects);
  void begin_commit();
  void commit();
  void commit_done(Batch&& batch);
  void keep_imminent(Batch& batch);
  void make_space();
  void clean_log();
  void tick();
  void note_clock_step(Millis step);
  void set_timer();
  void note_targets(const std::vector<TargetKey>& keys);
  void note_hold(const TargetKey& key);
  Async<void> run_to_rest();
  Async<void> keep_clock();

  // firing.cc
  void begin_pushes(std::vector<Fired> fired);
  void prefetch(const std::vector<TaskNumber>& numbers);
  void prefetch_next();
  void fetch_fired();
  void note_sizes(const std::vector<Fetched>& fetched);
  void fetched_fired(std::deque<Unfetched> asked, std::vector<Fetched> fetched);
  void push_if_admitted(const Fired& fired, ContentCache::Row row);
  void push(const Fired& fired, ContentCache::Row row);
  /// What of a push is wanted when it ends.
  struct Pushing {
    Fired fired;
    std::uint64_t bytes = 0;
    RetryPolicy retry;
    Millis hold_max{};
    WallTime began{};
    std::uint32_t attempts = 1;  // since it was added or redriven, this one included
  };
  void pushed(const Pushing& push, PushResult result);
  /// `before`: the note of the attempt before this one.
  void failed(const Pushing& push, const std::optional<Note>& before, PushResult result);
  void bury(const Fired& fired, const std::string& why);

  // commands.cc
  /// Submits each command; `waiter` is told the replies, in the same order.
  void submit(std::span<Command> commands, Waiter& waiter);
  /// Waits until none is missing; at least one is.
  static Async<void> replies(Waiter& waiter);
  /// Submits each command and waits for all replies, written to `into` in the same order.
  Async<void> ask_all(std::span<Command> commands, Reply* into);
  Async<Reply> ask(Command command);
  [[nodiscard]] std::optional<Error> closed() const;
  /// The same for what brings contents, which can wait until the disk has space again. `tasks`: how
  /// many would be refused.
  [[nodiscard]] std::optional<Error> closed_to_contents(std::uint64_t tasks = 1);
  /// Makes `same` of the replies to adds that found just that task under their id. One fetch for
  /// all.
  Async<void> recognise(std::span<Reply> replies);
  [[nodiscard]] Result<> address(Statement& task, const TaskContent& content);
  [[nodiscard]] Result<WallTime> due_of(const std::optional<WallTime>& due_at,
                                        const std::optional<Millis>& delay);
  /// `call` and `about` say what the client's name is for; none where that is empty.
  [[nodiscard]] OperationName operation_name(std::string_view call, std::string_view about,
                                             std::string_view operation,
                                             std::uint64_t arguments) const;
  [[nodiscard]] Answer<CancelAnswer> cancel_answer(const Reply& reply);
  [[nodiscard]] Answer<Added> added(const Reply& reply);
  [[nodiscard]] Refusal refused(const Reply& reply);
  [[nodiscard]] std::string why_full() const;
  Async<Answer<TaskView>> move(const Fingerprint& task, WallTime due);
  [[nodiscard]] Push test_push(std::shared_ptr<const TargetSettings> target);
  [[nodiscard]] Answer<TargetSettings> changed_target(const std::string& name,
                                                      const TargetChange& change) const;
  Async<Answer<bool>> submit_target(const TargetSettings& settings);
  /// Changes of targets are made one after the other: each starts from what the last one left.
  Async<void> begin_target_change();
  void end_target_change();

  // queries.cc
  [[nodiscard]] Fingerprint fingerprint(std::string_view id) const;
  [[nodiscard]] Hash128 key_of(std::string_view name) const { return siphash(key_, name); }
  Async<std::vector<Fetched>> fetch(Fetch wanted);
  Async<void> fetch_each(Fetch wanted, std::function<void(std::size_t, Fetched&)> take);
  Async<Answer<TaskView>> view(Statement task);
  [[nodiscard]] static bool fill_view(const Statement& task, Fetched& fetched, TaskView& view);
  /// Lets other work run, between two slices of a long one.
  Async<void> yield();
  /// Held in memory, of contents and of what is made of them.
  [[nodiscard]] std::uint64_t content_bytes() const;

  // lists.cc
  [[nodiscard]] Result<Match> match(const TaskFilter& filter) const;
  [[nodiscard]] static bool fits(const Match& match, const Statement& task);
  [[nodiscard]] static bool content_fits(const Match& match, const TaskContent& content);
  Async<Listing::Page> look(ListFilter filter, std::optional<ListKey> after, std::size_t wanted);
  Async<void> show(const Match& wanted, std::vector<Listing::Found> found, std::size_t most,
                   Page& page, std::vector<ListKey>& keys);
  Async<std::vector<TaskView>> heads(std::vector<Statement> tasks);
  Async<void> collect_pending(Export& its);

  // dead.cc
  Async<void> keep_those_that_fit(const Match& match, std::vector<Statement>& tasks);
  bool collect_some_dead(const Match& match, std::uint32_t& position, std::vector<Statement>& dead);
  Async<std::vector<Statement>> collect_dead(const Match& match, std::uint32_t& position);
  Async<Answer<TaskView>> redriven_before(std::string_view id, WallTime at);
  Async<std::uint64_t> redrive_matching(Match wanted);
  /// As they stand then.
  Async<std::vector<Answer<Statement>>> redrive_these(std::vector<Statement> dead,
                                                      OperationName operation);
  Async<void> redrive_some(const std::vector<Statement>& dead,
                           const std::vector<std::size_t>& which,
                           const std::vector<Fetched>& fetched,
                           std::vector<Answer<Statement>>& answers, OperationName operation);

  [[nodiscard]] TargetView view_of(const TargetState& target) const;

  boost::asio::io_context& loop_;
  Clock& clock_;
  ManualClock* manual_clock_;
  Log& log_;
  Delivery& delivery_;
  UrlPolicy& urls_;
  EngineOptions options_;
  SipKey key_;
  Shard shard_;
  ContentCache cache_;
  PushBytes push_bytes_;
  // Long looks: how many at once, and the bytes of their answers that are not sent yet.
  Allowance turns_;
  Allowance page_bytes_;
  Allowance export_bytes_;
  std::shared_ptr<const TargetSettings> url_target_;
  std::unordered_map<std::uint64_t, std::shared_ptr<const TargetSettings>>
      named_targets_;                                           // by key.low
  std::map<std::string, TargetKey, std::less<>> target_names_;  // of these, in order
  std::mt19937_64 random_;
  EngineCounters counters_;
  std::uint64_t cancelled_ = 0;  // that waited; counters_ has those that were firing, too
  TickTimer timer_;
  Signal changed_;

  std::vector<Waiter*> waiters_;  // a ticket's upper bits are an index here, plus one
  std::vector<std::size_t> free_waiters_;
  Phase phase_ = Phase::recovering;
  bool log_busy_ = false;
  bool flush_posted_ = false;
  bool tick_posted_ = false;
  bool cleaning_ = false;  // from reading the oldest batches until their trim is committed
  bool trimming_ = false;  // the batch under way trims
  bool changing_target_ = false;
  bool low_on_space_ = false;
  std::vector<Hash128> redriving_;  // named redrives of many that are under way
  std::uint32_t commits_to_clean_check_ = 0;
  FetchQueue unfetched_;
  static constexpr std::size_t kFetchedAtOnce = 1000;
  std::size_t fetched_at_once_ = kFetchedAtOnce;
  std::uint64_t fetching_ = 0;  // fetches of fired tasks' contents under way
  std::deque<TaskNumber> to_prefetch_;
  bool prefetching_ = false;
  MonoTime prefetch_began_{};           // this second,
  std::uint64_t prefetched_bytes_ = 0;  // and so much in it
  std::size_t commit_at_ = 0;           // so many records need not wait for the turn's end
  std::size_t last_records_ = 0;        // of the last batch
  Batch spare_;
  MonoTime commit_began_{};
  /// Gone when the engine is: what comes back late from a thread looks here first.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace carillon
