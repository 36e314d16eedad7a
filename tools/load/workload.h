// What a load run asks of the server: one request after another, and how its answers are told.
//
// The protocol is the workload's: the ones made here speak Carillon's HTTP; bench/ has some that
// speak to other programs.
//
// Concurrency: one thread, the generator's.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "tools/load/answer_parser.h"

namespace carillon::load {

/// Which tasks are added. An id is the pattern with "{}" replaced by the task's number.
struct TaskPlan {
  std::string id_pattern = "load-{}";
  std::uint64_t first = 0;
  std::string target{};
  std::string group{};  // empty: none
  std::size_t payload_bytes = 150;
  Millis delay_min{std::chrono::hours(1)};  // uniform between the two
  Millis delay_max{std::chrono::hours(1)};
  std::optional<WallTime> due_at{};  // instead of the delay
  std::uint64_t seed = 1;
};

enum class BatchForm { json, ndjson };

/// One request, ready to be sent.
struct Request {
  std::string bytes;
  std::uint64_t tasks = 0;   // how many tasks it adds or cancels; 1 where it only reads
  std::uint64_t number = 0;  // of its first task
  bool adds = true;
};

class Workload {
 public:
  virtual ~Workload() = default;
  /// Fills `request`; false when there is nothing more to ask.
  virtual bool next(Request& request) = 0;
  /// Reads the answer to `request` at the front of `bytes`; here an HTTP answer.
  virtual Parsed read(std::string_view bytes, const Request& request, Answer& answer);
  /// The server's answer to it.
  virtual void answered(const Request& request, unsigned status) = 0;
};

/// Adds of `batch` tasks a request (1: single adds), `count` tasks in all (0: no end). `host` goes
/// into the Host header, `token` into Authorization where it is not empty.
struct Wire {
  std::string host;
  std::string token;
};
[[nodiscard]] std::unique_ptr<Workload> make_adds(Wire wire, TaskPlan plan, std::uint64_t batch,
                                                  BatchForm form, std::uint64_t count);
/// The order in which numbers are taken: one after another, or scattered over `among` of them, each
/// once, by steps of a large prime; `skip` of the order are left out at its beginning.
struct Order {
  std::uint64_t first = 0;
  std::uint64_t among = 0;  // 0: one after another
  std::uint64_t skip = 0;
  [[nodiscard]] std::uint64_t operator[](std::uint64_t place) const;
};
/// Cancels of tasks with the plan's ids, in the order said; `batch` as above.
[[nodiscard]] std::unique_ptr<Workload> make_cancels(Wire wire, TaskPlan plan, Order order,
                                                     std::uint64_t batch, std::uint64_t count);
/// Single adds, and for each of them with the chance `cancel_share` (0 to 1) later the cancel of a
/// random task whose add was answered. `count` requests in all (0: no end).
[[nodiscard]] std::unique_ptr<Workload> make_mix(Wire wire, TaskPlan plan, double cancel_share,
                                                 std::uint64_t count);

/// `GET`s of one path, as it is to be sent. `count` in all (0: no end).
[[nodiscard]] std::unique_ptr<Workload> make_gets(const Wire& wire, std::string_view path,
                                                  std::uint64_t count);

/// Appends the payload of a task, of exactly the size asked for (or as many as its number takes):
/// a JSON string, quotes included.
void append_payload(std::string& out, const TaskPlan& plan, std::uint64_t number);
/// Appends one task's JSON object, without a line end.
void append_task(std::string& out, const TaskPlan& plan, std::uint64_t number,
                 std::mt19937_64& random);
void append_id(std::string& out, const TaskPlan& plan, std::uint64_t number);
[[nodiscard]] std::string id_of(const TaskPlan& plan, std::uint64_t number);

}  // namespace carillon::load
