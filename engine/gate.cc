#include "engine/gate.h"

#include <algorithm>
#include <chrono>
#include <iterator>

namespace carillon {
namespace {

constexpr std::chrono::microseconds kSliceTime{200};
// Of answers. Callers that are answered together ask again together, and their calls share a commit
// then: so what a loop can do at once it does. If that is not all, there is a flood, and everybody
// has his turn soon.
constexpr std::chrono::microseconds kAnswersAtOnce{3000};
constexpr std::chrono::microseconds kAnswersInTurn{300};

}  // namespace

Gate::~Gate() {
  // What is posted to the loops holds the sides, and these what waits in them. Where nothing does,
  // their threads may still be running.
  for (const std::shared_ptr<Side>& side : sides_) {
    if (side->waiting == 0) continue;
    side->calls.clear();
    side->finished.clear();
    side->answers.clear();
  }
}

/// Each thread runs one loop, so the side that it was on last is nearly always the one.
std::shared_ptr<Gate::Side> Gate::side_of(const boost::asio::any_io_executor& loop) {
  thread_local std::pair<std::weak_ptr<bool>, std::shared_ptr<Side>> last;
  auto& [gate, side] = last;
  if (gate.lock() == alive_ && side->loop == loop) return side;
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(sides_, loop, &Side::loop);
  last = {alive_,
          found != sides_.end() ? *found : sides_.emplace_back(std::make_shared<Side>(loop))};
  return side;
}

void Gate::put(std::unique_ptr<Call> call) {
  const std::shared_ptr<Side> side = call->side;
  ++side->waiting;
  side->calls.push_back(std::move(call));
  if (side->calls.size() > 1) return;
  boost::asio::post(side->loop, [this, alive = std::weak_ptr(alive_), side] {
    if (!alive.expired()) hand_over(*side);
  });
}

void Gate::hand_over(Side& side) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.insert(waiting_.end(), std::make_move_iterator(side.calls.begin()),
                    std::make_move_iterator(side.calls.end()));
    side.calls.clear();
    if (std::exchange(asked_, true)) return;
  }
  ask();
}

void Gate::ask() {
  boost::asio::post(loop_, [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) take();
  });
}

void Gate::take() {
  serve_due_();
  const auto end = std::chrono::steady_clock::now() + kSliceTime;
  while (!ready_.empty() || refill()) {
    if (std::chrono::steady_clock::now() >= end) return ask();
    std::unique_ptr<Call> call = std::move(ready_.front());
    ready_.pop_front();
    Call& begun = *call;
    begun.begin(*this, std::move(call));
  }
}

/// False: nobody waits, and the next who comes asks again.
bool Gate::refill() {
  const std::lock_guard lock(mutex_);
  ready_.swap(waiting_);
  asked_ = !ready_.empty();
  return asked_;
}

void Gate::answer(std::unique_ptr<Call> call) {
  const std::shared_ptr<Side> side = call->side;
  side->answers.push_back(std::move(call));
  if (side->answers.size() > 1) return;
  boost::asio::post(loop_, [side] {
    boost::asio::post(side->loop, [side, answers = std::move(side->answers)]() mutable {
      bring(side, std::move(answers));
    });
    side->answers.clear();
  });
}

void Gate::bring(const std::shared_ptr<Side>& side, Calls answers) {
  const bool idle = side->finished.empty();
  side->finished.insert(side->finished.end(), std::make_move_iterator(answers.begin()),
                        std::make_move_iterator(answers.end()));
  if (idle) go_on(side, kAnswersAtOnce);
}

void Gate::go_on(const std::shared_ptr<Side>& side, std::chrono::microseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!side->finished.empty()) {
    if (std::chrono::steady_clock::now() >= end) {
      boost::asio::post(side->loop, [side] { go_on(side, kAnswersInTurn); });
      return;
    }
    const std::unique_ptr<Call> call = std::move(side->finished.front());
    side->finished.pop_front();
    --side->waiting;
    call->finish();
  }
}

}  // namespace carillon
