#include "tools/load/workload.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/text.h"
#include "tools/client/endpoint.h"

namespace carillon::load {
namespace {

/// Puts a request line and head before `body`.
void frame(std::string& out, const Wire& wire, std::string_view method, std::string_view path,
           std::string_view content_type, std::string_view body) {
  out.clear();
  out.append(method).append(" ").append(path).append(" HTTP/1.1\r\nHost: ").append(wire.host);
  if (!wire.token.empty()) out.append("\r\nAuthorization: Bearer ").append(wire.token);
  if (!content_type.empty()) {
    out.append("\r\nContent-Type: ").append(content_type);
    out.append("\r\nContent-Length: ").append(std::to_string(body.size()));
  }
  out.append("\r\n\r\n").append(body);
}

class Adds final : public Workload {
 public:
  Adds(Wire wire, TaskPlan plan, std::uint64_t batch, BatchForm form, std::uint64_t count)
      : wire_(std::move(wire)),
        plan_(std::move(plan)),
        batch_(batch),
        form_(form),
        left_(count == 0 ? UINT64_MAX : count),
        next_(plan_.first),
        random_(plan_.seed) {}

  bool next(Request& request) override {
    if (left_ == 0) return false;
    request.number = next_;
    request.tasks = std::min(batch_, left_);
    request.adds = true;
    next_ += request.tasks;
    left_ -= request.tasks;
    body_.clear();
    if (batch_ == 1) {
      append_task(body_, plan_, request.number, random_);
      frame(request.bytes, wire_, "POST", "/v1/tasks", "application/json", body_);
    } else {
      append_batch(request);
      frame(request.bytes, wire_, "POST", "/v1/tasks:batchCreate",
            form_ == BatchForm::json ? "application/json" : "application/x-ndjson", body_);
    }
    return true;
  }
  void answered(const Request&, unsigned) override {}

 private:
  void append_batch(const Request& request) {
    const bool json = form_ == BatchForm::json;
    if (json) body_ += '[';
    for (std::uint64_t i = 0; i < request.tasks; ++i) {
      if (i > 0) body_ += json ? ',' : '\n';
      append_task(body_, plan_, request.number + i, random_);
    }
    body_ += json ? ']' : '\n';
  }

  Wire wire_;
  TaskPlan plan_;
  std::uint64_t batch_;
  BatchForm form_;
  std::uint64_t left_;
  std::uint64_t next_;
  std::mt19937_64 random_;
  std::string body_;
};

void frame_cancel(std::string& out, const Wire& wire, const TaskPlan& plan, std::uint64_t number) {
  const std::string path = "/v1/tasks/" + client::percent_encoded(id_of(plan, number));
  frame(out, wire, "DELETE", path, {}, {});
}

class Cancels final : public Workload {
 public:
  Cancels(Wire wire, TaskPlan plan, Order order, std::uint64_t batch, std::uint64_t count)
      : wire_(std::move(wire)),
        plan_(std::move(plan)),
        order_(order),
        batch_(batch),
        left_(count) {}

  bool next(Request& request) override {
    if (left_ == 0) return false;
    request.number = order_[place_];
    request.tasks = std::min(batch_, left_);
    request.adds = false;
    left_ -= request.tasks;
    if (batch_ == 1) {
      frame_cancel(request.bytes, wire_, plan_, request.number);
    } else {
      frame_batch(request);
    }
    place_ += request.tasks;
    return true;
  }
  void answered(const Request&, unsigned) override {}

 private:
  void frame_batch(Request& request) {
    body_.clear();
    JsonWriter json(body_);
    json.begin_object().key("ids").begin_array();
    for (std::uint64_t i = 0; i < request.tasks; ++i) {
      json.string(id_of(plan_, order_[place_ + i]));
    }
    json.end_array().end_object();
    frame(request.bytes, wire_, "POST", "/v1/tasks:batchCancel", "application/json", body_);
  }

  Wire wire_;
  TaskPlan plan_;
  Order order_;
  std::uint64_t batch_;
  std::uint64_t left_;
  std::uint64_t place_ = 0;
  std::string body_;
};

class Mix final : public Workload {
 public:
  Mix(Wire wire, TaskPlan plan, double cancel_share, std::uint64_t count)
      : wire_(std::move(wire)),
        plan_(std::move(plan)),
        cancel_chance_(cancel_share / (1 + cancel_share)),
        left_(count == 0 ? UINT64_MAX : count),
        next_(plan_.first),
        random_(plan_.seed) {}

  bool next(Request& request) override {
    if (left_ == 0) return false;
    --left_;
    request.tasks = 1;
    request.adds = added_.empty() || std::uniform_real_distribution<>()(random_) >= cancel_chance_;
    if (request.adds) {
      request.number = next_++;
      body_.clear();
      append_task(body_, plan_, request.number, random_);
      frame(request.bytes, wire_, "POST", "/v1/tasks", "application/json", body_);
      return true;
    }
    std::swap(added_[random_() % added_.size()], added_.back());
    request.number = added_.back();
    added_.pop_back();
    frame_cancel(request.bytes, wire_, plan_, request.number);
    return true;
  }

  void answered(const Request& request, unsigned status) override {
    if (request.adds && status == 201) added_.push_back(request.number);
  }

 private:
  Wire wire_;
  TaskPlan plan_;
  double cancel_chance_;
  std::uint64_t left_;
  std::uint64_t next_;
  std::mt19937_64 random_;
  std::vector<std::uint64_t> added_;  // answered and not yet asked to be cancelled
  std::string body_;
};

class Gets final : public Workload {
 public:
  Gets(const Wire& wire, std::string_view path, std::uint64_t count)
      : left_(count == 0 ? UINT64_MAX : count) {
    frame(bytes_, wire, "GET", path, {}, {});
  }

  bool next(Request& request) override {
    if (left_ == 0) return false;
    --left_;
    request.bytes = bytes_;
    request.tasks = 1;
    request.adds = false;
    return true;
  }
  void answered(const Request&, unsigned) override {}

 private:
  std::string bytes_;
  std::uint64_t left_;
};

}  // namespace

Parsed Workload::read(std::string_view bytes, const Request& request, Answer& answer) {
  return parse_http_answer(bytes, request.tasks, answer);
}

std::uint64_t Order::operator[](std::uint64_t place) const {
  if (among == 0) return first + skip + place;
  constexpr std::uint64_t kPrime = 2'654'435'761;
  return first + (skip + place) % among * kPrime % among;
}

void append_id(std::string& out, const TaskPlan& plan, std::uint64_t number) {
  const std::string_view pattern = plan.id_pattern;
  const std::size_t at = pattern.find("{}");
  out.append(pattern.substr(0, at));
  if (at == std::string_view::npos) return;
  append_number(out, number);
  out.append(pattern.substr(at + 2));
}

std::string id_of(const TaskPlan& plan, std::uint64_t number) {
  std::string id;
  append_id(id, plan, number);
  return id;
}

void append_payload(std::string& out, const TaskPlan& plan, std::uint64_t number) {
  const std::size_t begin = out.size();
  out.append("\"").append(std::to_string(number)).append(" ");
  const std::size_t least = out.size() - begin + 1;
  out.resize(begin + std::max(plan.payload_bytes, least) - 1, 'x');
  out += '"';
}

void append_task(std::string& out, const TaskPlan& plan, std::uint64_t number,
                 std::mt19937_64& random) {
  JsonWriter json(out);
  json.begin_object().key("id").string(id_of(plan, number));
  if (plan.due_at) {
    json.key("due_at").integer(plan.due_at->time_since_epoch().count());
  } else {
    std::uniform_int_distribution<std::int64_t> delay(plan.delay_min.count(),
                                                      plan.delay_max.count());
    json.key("delay").integer(delay(random));
  }
  json.key("target").string(plan.target);
  if (!plan.group.empty()) json.key("group").string(plan.group);
  json.key("payload");
  append_payload(out, plan, number);
  out += '}';
}

std::unique_ptr<Workload> make_adds(Wire wire, TaskPlan plan, std::uint64_t batch, BatchForm form,
                                    std::uint64_t count) {
  return std::make_unique<Adds>(std::move(wire), std::move(plan), batch, form, count);
}

std::unique_ptr<Workload> make_cancels(Wire wire, TaskPlan plan, Order order, std::uint64_t batch,
                                       std::uint64_t count) {
  return std::make_unique<Cancels>(std::move(wire), std::move(plan), order, batch, count);
}

std::unique_ptr<Workload> make_mix(Wire wire, TaskPlan plan, double cancel_share,
                                   std::uint64_t count) {
  return std::make_unique<Mix>(std::move(wire), std::move(plan), cancel_share, count);
}

std::unique_ptr<Workload> make_gets(const Wire& wire, std::string_view path, std::uint64_t count) {
  return std::make_unique<Gets>(wire, path, count);
}

}  // namespace carillon::load
