#include "tools/replay/history.h"

#include <charconv>

#include <fmt/format.h>

#include "storage/bytes.h"
#include "storage/record_codec.h"

namespace carillon::replay {

Result<Until> parse_until(const std::string& text) {
  Until until;
  if (text.empty()) return until;
  std::uint64_t sequence = 0;
  const char* end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, sequence);
  if (error == std::errc() && parsed == end) {
    until.sequence = sequence;
    return until;
  }
  const auto time = parse_moment(text);
  if (!time) {
    return Error{"bad_time", text + ": neither a sequence nor an RFC 3339 time", "--until"};
  }
  until.time = *time;
  return until;
}

History::History() : shard_(ShardOptions()) {}

Result<> History::replay(Salvage& salvage, const Until& until, std::optional<Sequence> synced,
                         const Progress& progress) {
  expected_ = salvage.oldest();
  salvage.for_each(
      Family::log, [&](std::span<const Row> rows) { return take(rows, salvage.oldest(), until); },
      progress);
  if (until.given()) {
    if (batches_ > 0) return {};
    return storage_error(fmt::format(
        "nothing of the log is left up to there: what came before sequence {} was cleaned away",
        salvage.oldest()));
  }
  if (synced && *synced >= expected_) lost_.push_back({expected_, *synced});
  return {};
}

bool History::take(std::span<const Row> rows, Sequence oldest, const Until& until) {
  if (rows.front().number < oldest) return true;
  std::string why;
  for (const Row& row : rows) {
    auto batch = decode_batch(row.bytes);
    if (batch && batch->first != row.number) batch = storage_error("it is of another sequence");
    if (!batch) {
      why = batch.error().detail;
      continue;
    }
    // Of an old write-ahead log whose end was given up: the sequences were used again since.
    if (batch->first < expected_) return true;
    bytes_ += row.bytes.size();
    return replay_batch(*batch, until);
  }
  bad_rows_.push_back(fmt::format("the row of sequence {}: {}", rows.front().number, why));
  return true;
}

bool History::replay_batch(Batch& batch, const Until& until) {
  if (until.time && batch.at > *until.time) return false;
  if (until.sequence && batch.first > *until.sequence) return false;
  if (batch.first > expected_) lost_.push_back({expected_, batch.first - 1});
  expected_ = batch.last() + 1;
  if (until.sequence && batch.last() > *until.sequence) {
    batch.records.resize(*until.sequence - batch.first + 1);
  }
  shard_.replay(batch);
  shard_.effects() = {};
  if (batches_ == 0) {
    first_ = batch.first;
    first_at_ = batch.at;
  }
  last_ = batch.last();
  last_at_ = batch.at;
  ++batches_;
  for (const Record& record : batch.records) ++records_[record.index()];
  return true;
}

}  // namespace carillon::replay
