#include "tracing/tracer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace carillon {
namespace {

std::mt19937_64 seeded() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(), device(), device()};
  return std::mt19937_64(seed);
}

}  // namespace

Tracer::Tracer(Clock& clock, bool continues)
    : clock_(clock), continues_(continues), random_(seeded()) {}

/// So many words of random digits, the last not zero.
std::string Tracer::hex(std::size_t words) {
  std::string text;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < words; ++i) text += fmt::format("{:016x}", random_() | 1U);
  return text;
}

std::string Tracer::make_trace_id() {
  return hex(2);
}

std::string Tracer::make_span_id() {
  return hex(1);
}

void Tracer::record(Span span) {
  const std::lock_guard lock(mutex_);
  ++counts_.made;
  if (spans_.size() == kSpansMax) {
    ++counts_.dropped;
    return;
  }
  spans_.push_back(std::move(span));
}

std::vector<Span> Tracer::take(std::size_t count) {
  const std::lock_guard lock(mutex_);
  const auto end = spans_.begin() + static_cast<std::ptrdiff_t>(std::min(count, spans_.size()));
  std::vector<Span> taken(std::make_move_iterator(spans_.begin()), std::make_move_iterator(end));
  spans_.erase(spans_.begin(), end);
  return taken;
}

void Tracer::note_lost(std::size_t count) {
  const std::lock_guard lock(mutex_);
  counts_.dropped += count;
}

Tracer::Counts Tracer::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace carillon
