// The server as a whole: the one place that knows all the parts.
//
// Operation: makes the parts from the lowest up (clock, log, delivery, engine, HTTP), listens, so
// that /healthz and /readyz answer, recovers, and is ready. SIGTERM or SIGINT stops them in the
// reverse order: for `drain_grace` all goes on but /readyz says draining; then no new connections
// and the requests under way answered, no new pushes and those under way finished, storage closed.
// Another signal ends the grace, or the process where that is over; the latter loses nothing
// either, only pushes under way are made again. SIGHUP reads the configuration again.
//
// Concurrency: one event loop, on the thread that calls `run`.
#pragma once

#include "server/config.h"
#include "server/process.h"

namespace carillon {

/// Serves until it is told to stop. The process is prepared and logging set up. `options` are what
/// `arguments` and the environment said; `arguments` are kept to read them again.
[[nodiscard]] ExitCode run_server(const Arguments& arguments, Options options);

}  // namespace carillon
