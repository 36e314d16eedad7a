// What the router does to many tasks at once: groups and dead letters. Each call is made on every
// shard, under a name, so that it can be sent again where it was done by some of them only.

#include <functional>

#include "base/text.h"
#include "cluster/merge.h"
#include "cluster/router.h"
#include "engine/made_ids.h"

namespace carillon {
namespace {

/// The client's name for an operation, or one that is made for it.
class Named {
 public:
  explicit Named(std::string_view by_client) : text_(by_client), is_made_(by_client.empty()) {
    if (!is_made_) return;
    thread_local std::mt19937_64 random = make_random();
    text_ = "made-00000000000000000000000000000000";
    write_hex(&text_[5], random(), 16);
    write_hex(&text_[21], random(), 16);
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool is_made() const { return is_made_; }

  /// Says under which name it is to be sent again.
  [[nodiscard]] Refusal in(Refusal why) const {
    if (why.slug == "outcome_unknown")
      why.detail.append(" Send it again with `operation` \"").append(text_).append("\".");
    return why;
  }

 private:
  std::string text_;
  bool is_made_;
};

/// Where as many names are remembered as may be, one that was made here is done without.
bool is_for_want_of_names(const Error& why) {
  return why.slug == "full" && why.field == "operation";
}

template <typename Call>
Async<void> carry_out_into(const Reach& reach, ShardNumber shard, const Call& call,
                           const Named& name, Answer<typename Call::Told>& answer) {
  answer = co_await reach.ask(shard, call);
  if (answer || !name.is_made() || !is_for_want_of_names(answer.error())) co_return;
  Call unnamed = call;
  unnamed.operation = {};
  answer = co_await reach.ask(shard, unnamed);
}

template <typename Call>
Async<std::vector<Answer<typename Call::Told>>> carry_out(const Reach& reach, const Call& call,
                                                          const Named& name) {
  std::vector<Answer<typename Call::Told>> answers(reach.map().shards(), Refusal());
  std::vector<Async<void>> works;
  for (ShardNumber shard = 0; shard < answers.size(); ++shard)
    works.push_back(carry_out_into(reach, shard, call, name, answers[shard]));
  co_await together(std::move(works));
  co_return answers;
}

/// What the shards did, as one. That some have nothing of the kind says nothing.
template <typename Told>
Answer<Told> merge_done(const std::vector<Answer<Told>>& answers,
                        const std::function<void(Told& sum, const Told& more)>& add) {
  Told sum{};
  std::size_t done = 0;
  std::size_t failed = 0;
  std::optional<Refusal> missing;
  std::optional<Refusal> why;
  for (const Answer<Told>& answer : answers) {
    if (answer) {
      ++done;
      add(sum, *answer);
    } else if (answer.error().slug == "not_found") {
      missing = answer.error();
    } else {
      ++failed;
      if (!why || answer.error().slug == "outcome_unknown") why = answer.error();
    }
  }
  if (!why && done == 0 && missing) return *std::move(missing);
  if (!why) return sum;
  if (done == 0 && (failed == 1 || why->slug != "outcome_unknown")) return *std::move(why);
  return Refusal(Error{"outcome_unknown",
                       "It was done by " + std::to_string(done) + " shards, and perhaps not by " +
                           std::to_string(failed) + ": " + why->detail,
                       ""});
}

void add_number(std::uint64_t& sum, const std::uint64_t& more) {
  sum += more;
}

}  // namespace

Async<Answer<GroupView>> Router::group(std::string_view name) {
  const shard_call::Group call{name};
  const auto answers = co_await reach_.ask_all(call, kPatience);
  GroupView sum;
  std::optional<Refusal> missing;
  bool is_there = false;
  for (const auto& answer : answers) {
    if (answer) {
      is_there = true;
      add_group(sum, *answer);
    } else if (answer.error().slug == "not_found") {
      missing = answer.error();
    } else {
      co_return answer.error();
    }
  }
  if (!is_there && missing) co_return *std::move(missing);
  co_return sum;
}

Async<Answer<GroupCancelAnswer>> Router::cancel_group(std::string_view name,
                                                      std::string_view operation) {
  const Named named(operation);
  const shard_call::CancelGroup call{name, named.text()};
  const auto answers = co_await carry_out(reach_, call, named);
  auto done = merge_done<GroupCancelAnswer>(
      answers, [](GroupCancelAnswer& sum, const GroupCancelAnswer& more) {
        sum.cancelled += more.cancelled;
        sum.firing += more.firing;
      });
  if (!done) co_return named.in(std::move(done).error());
  co_return done;
}

Async<Answer<std::uint64_t>> Router::shift_group(std::string_view name, Millis by,
                                                 std::string_view operation, ShiftStep step) {
  const Named named(operation);
  if (step != ShiftStep::carry_out) {
    const shard_call::AskShift ask{name, by, named.text()};
    const auto answers = co_await reach_.ask_all(ask, kPatience);
    for (const auto& answer : answers) {
      if (answer || answer.error().slug == "not_found") continue;
      if (!named.is_made() || !is_for_want_of_names(answer.error())) co_return answer.error();
    }
    auto found = merge_done<std::uint64_t>(answers, add_number);
    if (step == ShiftStep::ask || (!found && found.error().slug == "not_found")) co_return found;
  }
  const shard_call::CarryOutShift call{name, by, named.text()};
  const auto answers = co_await carry_out(reach_, call, named);
  auto done = merge_done<std::uint64_t>(answers, add_number);
  if (!done) co_return named.in(std::move(done).error());
  co_return done;
}

Async<Answer<TaskView>> Router::redrive(std::string_view id, std::string_view operation) {
  const Named named(operation);
  const shard_call::Redrive call{id, named.text()};
  Answer<TaskView> redriven = Refusal();
  co_await carry_out_into(reach_, shard_of_task(id), call, named, redriven);
  if (!redriven) co_return named.in(std::move(redriven).error());
  co_return redriven;
}

Async<Answer<std::uint64_t>> Router::redrive_all(TaskFilter filter, std::string operation) {
  const Named named(operation);
  const shard_call::RedriveAll call{std::move(filter), named.text()};
  const auto answers = co_await carry_out(reach_, call, named);
  auto done = merge_done<std::uint64_t>(answers, add_number);
  if (!done) co_return named.in(std::move(done).error());
  co_return done;
}

Async<Answer<std::uint64_t>> Router::purge_dead(TaskFilter filter) {
  const shard_call::PurgeDead call{std::move(filter)};
  const auto answers = co_await reach_.ask_all(call, kPatience);
  co_return merge_done<std::uint64_t>(answers, add_number);
}

}  // namespace carillon
