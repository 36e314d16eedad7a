// Coroutines over what answers by calling back: the driver, the log, the loop.
//
// Concurrency: the loop's thread only.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "delivery/sink.h"
#include "engine/driver.h"
#include "engine/requests.h"
#include "storage/log.h"

namespace carillon {

/// Submits a command and waits for its reply.
[[nodiscard]] Async<Reply> ask(ShardDriver& driver, Command command);
/// Submits the commands in their order and waits for all replies, which are written to `into` in
/// the same order. Some 1,000 at a time, between which the loop lets other work run.
[[nodiscard]] Async<void> ask_all(boost::asio::io_context& loop, ShardDriver& driver,
                                  std::span<Command> commands, Reply* into);

/// Waits until what memory says now is known to have been true (ShardDriver::confirm). An error:
/// that cannot be known. Error slugs: moved, log_away.
[[nodiscard]] Async<std::optional<Error>> confirm(ShardDriver& driver);

[[nodiscard]] Async<std::vector<Fetched>> fetch(Log& log, Fetch wanted);
/// Calls `take` once for each of the numbers, with its index; what was read is dropped when that
/// returns. A bounded piece at a time.
[[nodiscard]] Async<void> fetch_each(Log& log, Fetch wanted,
                                     std::function<void(std::size_t, Fetched&)> take);
[[nodiscard]] Async<Result<>> checkpoint(Log& log, std::string dir);

/// Pushes, and waits until that is over.
[[nodiscard]] Async<PushResult> push_to_the_end(Sink& sink, Push push);

/// Begins what nobody waits for.
void run_detached(boost::asio::io_context& loop, Async<void> work);

/// Lets other work run, between two slices of a long one.
[[nodiscard]] Async<void> yield(boost::asio::io_context& loop);

}  // namespace carillon
