// What a run measured, for a person or as JSON.
#pragma once

#include <string>
#include <string_view>

#include "base/histogram.h"
#include "tools/load/generator.h"
#include "tools/load/receiver.h"

namespace carillon::load {

enum class Format { human, json };

/// "412 us", "1.25 ms", "3.20 s".
[[nodiscard]] std::string format_micros(Histogram::Micros value);

/// A run of the generator; with `receiver`, what came back as well. Human: lines with aligned
/// columns; JSON: one object and a line end.
[[nodiscard]] std::string format_load(std::string_view command, const LoadResult& result,
                                      const ReceiverSummary* receiver, Format format);

/// What a receiver took. `due`: where all were due at one instant, for when the last one came.
[[nodiscard]] std::string format_receiver(const ReceiverSummary& summary, Format format);

/// A burst: all tasks due at `due`.
struct BurstResult {
  LoadResult adds;
  std::uint64_t expected = 0;
  WallTime due{};
  ReceiverSummary receiver;
};
[[nodiscard]] std::string format_burst(const BurstResult& burst, Format format);

}  // namespace carillon::load
