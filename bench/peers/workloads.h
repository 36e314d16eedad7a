// What the load generator asks of Carillon's peers: the same tasks in their own words.
//
// In Redis a task is a member of the sorted set `tasks`, scored by its due time in Unix
// milliseconds, and, where it has a payload, a field of the hash `payloads`. In beanstalkd it is a
// job with a delay in whole seconds, and its id is beanstalkd's.
//
// Concurrency: as load::Workload.
#pragma once

#include <cstdint>
#include <memory>

#include "tools/load/workload.h"

namespace carillon::bench {

enum class RedisForm {
  bare,         // ZADD alone, without a payload; cancels: ZREM alone
  transaction,  // a task: MULTI, HSET, ZADD, EXEC in one write
  pipeline,     // a batch: HSET and ZADD of each task, all in one write; cancels: ZREM and HDEL
  variadic      // a batch: MULTI, one HSET and one ZADD of all, EXEC; cancels: one ZREM, one HDEL
};

/// Adds of `batch` tasks a request, `count` in all (0: no end).
[[nodiscard]] std::unique_ptr<load::Workload> make_redis_adds(load::TaskPlan plan, RedisForm form,
                                                              std::uint64_t batch,
                                                              std::uint64_t count);
[[nodiscard]] std::unique_ptr<load::Workload> make_redis_cancels(load::TaskPlan plan,
                                                                 load::Order order, RedisForm form,
                                                                 std::uint64_t batch,
                                                                 std::uint64_t count);
/// Moves tasks to other due times: pipelined ZADD XX.
[[nodiscard]] std::unique_ptr<load::Workload> make_redis_shifts(load::TaskPlan plan,
                                                                std::uint64_t batch,
                                                                std::uint64_t count);
[[nodiscard]] std::unique_ptr<load::Workload> make_beanstalk_puts(load::TaskPlan plan,
                                                                  std::uint64_t count);

/// beanstalkd's answer to a put: 200 for INSERTED, else 500.
[[nodiscard]] load::Parsed parse_put_answer(std::string_view bytes, load::Answer& answer);

}  // namespace carillon::bench
