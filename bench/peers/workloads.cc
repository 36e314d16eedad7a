#include "bench/peers/workloads.h"

#include <algorithm>
#include <string>

#include "bench/peers/resp.h"

namespace carillon::bench {
namespace {

using load::Answer;
using load::Request;
using load::TaskPlan;

Millis random_delay(const TaskPlan& plan, std::mt19937_64& random) {
  std::uniform_int_distribution<std::int64_t> delay(plan.delay_min.count(), plan.delay_max.count());
  return Millis(delay(random));
}

/// The score of a new task.
std::string score_of(const TaskPlan& plan, std::mt19937_64& random) {
  using std::chrono::system_clock;
  const WallTime due =
      plan.due_at ? *plan.due_at
                  : std::chrono::ceil<Millis>(system_clock::now()) + random_delay(plan, random);
  return std::to_string(due.time_since_epoch().count());
}

/// What Redis workloads share: how many tasks are left, and how replies are judged.
class RedisWork : public load::Workload {
 public:
  RedisWork(TaskPlan plan, RedisForm form, std::uint64_t batch, std::uint64_t count)
      : plan_(std::move(plan)),
        form_(form),
        batch_(batch),
        left_(count == 0 ? UINT64_MAX : count),
        random_(plan_.seed) {}

  bool next(Request& request) final {
    if (left_ == 0) return false;
    request.tasks = std::min(batch_, left_);
    left_ -= request.tasks;
    request.bytes.clear();
    fill(request);
    place_ += request.tasks;
    return true;
  }

  load::Parsed read(std::string_view bytes, const Request& request, Answer& answer) final {
    Replies replies;
    const Parsed parsed = parse_replies(bytes, replies_to(request), replies);
    if (parsed != Parsed::complete) return parsed;
    const std::uint64_t failed = failed_of(request, replies);
    const bool single = request.tasks == 1;
    answer = {single && failed > 0 ? 500U : 200U, replies.bytes, failed, false};
    return Parsed::complete;
  }
  void answered(const Request&, unsigned) final {}

 protected:
  virtual void fill(Request& request) = 0;
  /// Replies to a batch in the pipelined form, for each task.
  [[nodiscard]] virtual std::uint64_t replies_per_task() const = 0;

  TaskPlan plan_;
  RedisForm form_;
  std::uint64_t batch_;
  std::uint64_t left_;
  std::uint64_t place_ = 0;
  std::mt19937_64 random_;
  std::string score_;

  /// Good until the next call.
  const std::string& id_of(std::uint64_t number) {
    id_.clear();
    load::append_id(id_, plan_, number);
    return id_;
  }

 private:
  [[nodiscard]] std::uint64_t replies_to(const Request& request) const {
    if (form_ == RedisForm::bare) return 1;
    return form_ == RedisForm::pipeline ? request.tasks * replies_per_task() : 4;
  }
  [[nodiscard]] std::uint64_t failed_of(const Request& request, const Replies& replies) const {
    if (form_ == RedisForm::variadic) {
      const auto done = static_cast<std::uint64_t>(replies.last_integer);
      return replies.errors > 0 ? request.tasks : request.tasks - std::min(done, request.tasks);
    }
    const std::uint64_t each = form_ == RedisForm::bare ? 1 : replies_per_task();
    return (replies.errors + replies.zeros + each - 1) / each;
  }

  std::string id_;
};

class RedisAdds final : public RedisWork {
 public:
  using RedisWork::RedisWork;

 private:
  std::uint64_t replies_per_task() const override { return 2; }
  void fill(Request& request) override {
    request.number = plan_.first + place_;
    request.adds = true;
    if (form_ == RedisForm::variadic) return fill_variadic(request);
    if (form_ == RedisForm::transaction) append_command(request.bytes, {"MULTI"});
    for (std::uint64_t i = 0; i < request.tasks; ++i) append_one(request.bytes, request.number + i);
    if (form_ == RedisForm::transaction) append_command(request.bytes, {"EXEC"});
  }
  const std::string& payload_of(std::uint64_t number) {
    payload_.clear();
    load::append_payload(payload_, plan_, number);
    return payload_;
  }
  void append_one(std::string& out, std::uint64_t number) {
    const std::string& id = id_of(number);
    if (form_ != RedisForm::bare) {
      append_command(out, {"HSET", "payloads", id, payload_of(number)});
    }
    score_ = score_of(plan_, random_);
    append_command(out, {"ZADD", "tasks", score_, id});
  }
  void fill_variadic(Request& request) {
    append_command(request.bytes, {"MULTI"});
    append_command(request.bytes, 2 + 2 * request.tasks);
    append_word(request.bytes, "HSET");
    append_word(request.bytes, "payloads");
    for (std::uint64_t i = 0; i < request.tasks; ++i) {
      append_word(request.bytes, id_of(request.number + i));
      append_word(request.bytes, payload_of(request.number + i));
    }
    append_command(request.bytes, 2 + 2 * request.tasks);
    append_word(request.bytes, "ZADD");
    append_word(request.bytes, "tasks");
    for (std::uint64_t i = 0; i < request.tasks; ++i) {
      append_word(request.bytes, score_of(plan_, random_));
      append_word(request.bytes, id_of(request.number + i));
    }
    append_command(request.bytes, {"EXEC"});
  }

  std::string payload_;
};

class RedisCancels final : public RedisWork {
 public:
  RedisCancels(TaskPlan plan, load::Order order, RedisForm form, std::uint64_t batch,
               std::uint64_t count)
      : RedisWork(std::move(plan), form, batch, count), order_(order) {}

 private:
  std::uint64_t replies_per_task() const override { return 2; }
  void fill(Request& request) override {
    request.number = order_[place_];
    request.adds = false;
    if (form_ == RedisForm::variadic) {
      append_command(request.bytes, {"MULTI"});
      append_all(request, "ZREM", "tasks");
      append_all(request, "HDEL", "payloads");
      append_command(request.bytes, {"EXEC"});
      return;
    }
    for (std::uint64_t i = 0; i < request.tasks; ++i) {
      const std::string& id = id_of(order_[place_ + i]);
      append_command(request.bytes, {"ZREM", "tasks", id});
      if (form_ != RedisForm::bare) append_command(request.bytes, {"HDEL", "payloads", id});
    }
  }
  void append_all(Request& request, std::string_view command, std::string_view key) {
    append_command(request.bytes, 2 + request.tasks);
    append_word(request.bytes, command);
    append_word(request.bytes, key);
    for (std::uint64_t i = 0; i < request.tasks; ++i) {
      append_word(request.bytes, id_of(order_[place_ + i]));
    }
  }

  load::Order order_;
};

class RedisShifts final : public RedisWork {
 public:
  using RedisWork::RedisWork;

 private:
  std::uint64_t replies_per_task() const override { return 1; }
  void fill(Request& request) override {
    request.number = plan_.first + place_;
    request.adds = false;
    for (std::uint64_t i = 0; i < request.tasks; ++i) {
      score_ = score_of(plan_, random_);
      append_command(request.bytes,
                     {"ZADD", "tasks", "XX", "CH", score_, id_of(request.number + i)});
    }
  }
};

class BeanstalkPuts final : public load::Workload {
 public:
  BeanstalkPuts(TaskPlan plan, std::uint64_t count)
      : plan_(std::move(plan)), left_(count == 0 ? UINT64_MAX : count), random_(plan_.seed) {}

  bool next(Request& request) override {
    if (left_ == 0) return false;
    --left_;
    request.number = plan_.first + place_++;
    request.tasks = 1;
    request.adds = true;
    payload_.clear();
    load::append_payload(payload_, plan_, request.number);
    const auto delay = std::chrono::ceil<std::chrono::seconds>(random_delay(plan_, random_));
    request.bytes = "put 0 " + std::to_string(delay.count()) + " 60 ";
    request.bytes += std::to_string(payload_.size());
    request.bytes.append("\r\n").append(payload_).append("\r\n");
    return true;
  }
  load::Parsed read(std::string_view bytes, const Request&, Answer& answer) override {
    return parse_put_answer(bytes, answer);
  }
  void answered(const Request&, unsigned) override {}

 private:
  TaskPlan plan_;
  std::uint64_t left_;
  std::uint64_t place_ = 0;
  std::mt19937_64 random_;
  std::string payload_;
};

}  // namespace

load::Parsed parse_put_answer(std::string_view bytes, Answer& answer) {
  const std::size_t end = bytes.find("\r\n");
  if (end == std::string_view::npos) return Parsed::incomplete;
  answer = {bytes.starts_with("INSERTED ") ? 200U : 500U, end + 2, 0, false};
  return Parsed::complete;
}

std::unique_ptr<load::Workload> make_redis_adds(TaskPlan plan, RedisForm form, std::uint64_t batch,
                                                std::uint64_t count) {
  return std::make_unique<RedisAdds>(std::move(plan), form, batch, count);
}

std::unique_ptr<load::Workload> make_redis_cancels(TaskPlan plan, load::Order order, RedisForm form,
                                                   std::uint64_t batch, std::uint64_t count) {
  return std::make_unique<RedisCancels>(std::move(plan), order, form, batch, count);
}

std::unique_ptr<load::Workload> make_redis_shifts(TaskPlan plan, std::uint64_t batch,
                                                  std::uint64_t count) {
  return std::make_unique<RedisShifts>(std::move(plan), RedisForm::pipeline, batch, count);
}

std::unique_ptr<load::Workload> make_beanstalk_puts(TaskPlan plan, std::uint64_t count) {
  return std::make_unique<BeanstalkPuts>(std::move(plan), count);
}

}  // namespace carillon::bench
