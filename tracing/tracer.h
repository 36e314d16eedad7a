// Spans on their way to a collector: who did what, and from when to when, within one trace.
//
// Operation: whoever has come to the end of something hands its span over (`record`), the exporter
// takes them in batches (`take`). Nobody waits: where there is no room, a span is dropped and
// counted. A span is made only for what belongs to a trace that its client has sampled, so a server
// without such clients makes none.
//
// Concurrency: any thread. Memory: kSpansMax spans, of some 1 KiB at most.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.h"

namespace carillon {

using WallMicros = std::chrono::sys_time<std::chrono::microseconds>;

struct Span {
  /// As OTLP counts them.
  enum class Kind { internal = 1, server = 2, client = 3, producer = 4 };
  struct Link {
    std::string trace_id;
    std::string span_id;
  };
  std::string trace_id;
  std::string span_id;
  std::string parent_id{};  // empty: it begins its trace
  std::string trace_state{};
  std::string name;
  Kind kind = Kind::internal;
  WallMicros from{};
  WallMicros to{};
  std::vector<std::pair<std::string, std::variant<std::string, std::int64_t>>> attributes{};
  std::optional<Link> link{};
  std::string error{};  // empty: nothing went wrong
};

class Tracer {
 public:
  static constexpr std::size_t kSpansMax = 8192;

  /// `clock` must outlive it. `continues`: a push goes on with the trace of its add; else it begins
  /// one of its own, with a link to that.
  Tracer(Clock& clock, bool continues);

  [[nodiscard]] bool continues() const { return continues_; }
  [[nodiscard]] WallMicros now() { return clock_.wall_micros(); }
  [[nodiscard]] std::string make_trace_id();
  [[nodiscard]] std::string make_span_id();

  void record(Span span);
  /// At most `count` of them, the oldest first.
  [[nodiscard]] std::vector<Span> take(std::size_t count);
  /// Spans that were lost on their way.
  void note_lost(std::size_t count);
  struct Counts {
    std::uint64_t made = 0;
    std::uint64_t dropped = 0;
  };
  [[nodiscard]] Counts counts() const;

 private:
  [[nodiscard]] std::string hex(std::size_t words);

  Clock& clock_;
  const bool continues_;
  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  std::deque<Span> spans_;
  Counts counts_;
};

}  // namespace carillon
