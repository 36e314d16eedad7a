// Failpoints: named places at which a test has the process killed, or held until it is.
//
// Operation: CARILLON_FAILPOINT("commit.before_write") is nothing at all, unless
// CARILLON_FAILPOINTS is defined. A test program defines it for the few .cc files that have
// failpoints, compiles these once more and links them before the libraries, whose own copies are
// then not taken. There the macro calls `reach_failpoint`, which that program brings
// (tests/faults/failpoint.cc). A name that is not in the list does not compile, and a test demands
// that each name of the list is reached.
//
// Concurrency: any thread.
//
// Limitations: in .cc files only: a header would make one inline function into two different ones.
#pragma once

#include <string_view>

namespace carillon {

inline constexpr std::string_view kFailpoints[] = {
    // Opening a data directory, in this order where it is new.
    "open.dir_made",
    "open.format_written",
    "open.probed",
    "open.opened",
    "open.initialized",
    "open.marked",
    // Recovery: a batch was replayed, all were.
    "recover.batch",
    "recover.replayed",
    // A batch on its way to the log. Those between written and synced are in failpoint.cc, which
    // stands between RocksDB and the kernel.
    "commit.before_write",
    "commit.torn_write",
    "commit.before_sync",
    "commit.after_sync",
    "commit.written",
    "mark.before_write",
    "mark.before_sync",
    "mark.written",
    // The bytes of an answer to a client.
    "answer.before",
    "answer.after",
    // A push: Fire is durable, the request is with the kernel, its answer has come, the outcome is
    // durable.
    "fire.durable",
    "push.sent",
    "push.answered",
    "outcome.durable",
    // Cleaning the log: the oldest batches are read, they are being trimmed, were trimmed, and
    // their files given back.
    "clean.read",
    "trim.before_write",
    "trim.durable",
    "trim.reclaimed",
    "checkpoint.begun",
    "checkpoint.copied",
    "checkpoint.marked",
    "checkpoint.complete",
    "checkpoint.renamed",
    // A clean stop.
    "close.threads_ended",
    "close.flushed",
    // Any file but the write-ahead log and the mark, and any directory.
    "file.before_sync",
};

}  // namespace carillon

#ifdef CARILLON_FAILPOINTS

namespace carillon {

/// Of the list, or no constant expression.
consteval std::string_view known_failpoint(std::string_view name) {
  for (const std::string_view known : kFailpoints) {
    if (known == name) return known;
  }
  throw "not in kFailpoints";
}

/// Ends the process as kill -9 does, or holds the thread for good, if it was told to do so at this
/// point and this many hits.
void reach_failpoint(std::string_view name);

}  // namespace carillon

#define CARILLON_FAILPOINT(name) ::carillon::reach_failpoint(::carillon::known_failpoint(name))
#define CARILLON_FAILPOINT_IF(condition, name) \
  do {                                         \
    if (condition) CARILLON_FAILPOINT(name);   \
  } while (false)

#else

#define CARILLON_FAILPOINT(name) static_cast<void>(0)
#define CARILLON_FAILPOINT_IF(condition, name) static_cast<void>(0)

#endif
