#include "cluster/list_merge.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <tuple>

#include "engine/list_cursor.h"

namespace carillon {
namespace {

/// So that most shards have enough for their share however ids fall.
std::size_t share_of(std::size_t limit, ShardNumber shards) {
  return std::min(limit, 2 * limit / shards + 8);
}

}  // namespace

std::string format_cluster_cursor(const ClusterKey& last) {
  return format_cursor(last.key) + "-" + std::to_string(last.shard);
}

std::optional<ClusterKey> parse_cluster_cursor(std::string_view text) {
  const std::size_t dash = text.rfind('-');
  if (dash == text.npos) return std::nullopt;
  const std::optional<ListKey> key = parse_cursor(text.substr(0, dash));
  ClusterKey last;
  const char* const end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data() + dash + 1, end, last.shard);
  if (!key || failed != std::errc() || stop != end) return std::nullopt;
  last.key = *key;
  return last;
}

std::string shard_cursor(const ClusterKey& last, ShardNumber shard) {
  ListKey key = last.key;
  // Of one due and id the highest number comes first: of the shards before that one all of them are
  // on the page already, of those after it none is.
  if (shard < last.shard) key.number = 0;
  if (shard > last.shard) key.number = std::numeric_limits<TaskNumber>::max();
  return format_cursor(key);
}

ListMerge::ListMerge(const Reach& reach, TaskFilter filter, std::size_t limit)
    : reach_(reach), filter_(std::move(filter)), limit_(limit), sources_(reach.map().shards()) {}

Async<void> ListMerge::refill(ShardNumber shard, std::size_t wanted) {
  Source& source = sources_[shard];
  const shard_call::List call{filter_, source.cursor, wanted};
  Answer<Page> page = co_await reach_.ask(shard, call, kShortPatience);
  source.next = 0;
  if (!page) {
    source.failed = std::move(page).error();
    source.more = false;
    source.page = {};
    co_return;
  }
  source.page = *std::move(page);
  // Who kept a share of one shard's memory while he waits for another's could wait for ever.
  source.page.held = {};
  source.cursor = source.page.next_cursor;
  // An empty page that others follow would be asked for again and again.
  source.more = !source.cursor.empty() && source.has_some();
}

/// Afterwards the first task of all is the first of what is here.
Async<void> ListMerge::refill_those_that_need_it(std::size_t wanted) {
  std::vector<Async<void>> works;
  for (ShardNumber shard = 0; shard < sources_.size(); ++shard) {
    if (sources_[shard].more && !sources_[shard].has_some()) works.push_back(refill(shard, wanted));
  }
  co_await together(std::move(works));
}

void ListMerge::take_first(Page& page, ClusterKey& last) {
  std::optional<ShardNumber> first;
  // Two shards' numbers say nothing of each other.
  const auto place = [this](ShardNumber shard) {
    const ListKey& key = sources_[shard].key();
    return std::tuple(key.due_ms, key.id, shard);
  };
  for (ShardNumber shard = 0; shard < sources_.size(); ++shard) {
    if (!sources_[shard].has_some()) continue;
    if (!first || place(shard) < place(*first)) first = shard;
  }
  if (!first) return;
  Source& source = sources_[*first];
  last = {source.key(), *first};
  page.keys.push_back(last.key);
  page.tasks.push_back(std::move(source.page.tasks[source.next++]));
}

bool ListMerge::anything_left() const {
  return std::ranges::any_of(sources_,
                             [](const Source& source) { return source.more || source.has_some(); });
}

Async<Answer<Page>> ListMerge::page(std::string cursor) {
  ClusterKey last;
  if (!cursor.empty()) {
    const std::optional<ClusterKey> begin = parse_cluster_cursor(cursor);
    if (!begin) co_return Refusal(bad_cursor());
    for (ShardNumber shard = 0; shard < sources_.size(); ++shard)
      sources_[shard].cursor = shard_cursor(*begin, shard);
  }
  Page page;
  std::size_t wanted = share_of(limit_, reach_.map().shards());
  while (page.tasks.size() < limit_ && anything_left()) {
    co_await refill_those_that_need_it(wanted);
    const auto needs_none = [](const Source& source) { return !source.more || source.has_some(); };
    while (page.tasks.size() < limit_ && std::ranges::all_of(sources_, needs_none) &&
           anything_left())
      take_first(page, last);
    wanted = limit_ - page.tasks.size();
  }
  if (anything_left()) page.next_cursor = format_cluster_cursor(last);
  for (ShardNumber shard = 0; shard < sources_.size(); ++shard) {
    std::optional<Refusal>& failed = sources_[shard].failed;
    if (!failed) continue;
    page.silent.push_back(shard);
    if (!is_silence(*failed) || page.silent.size() == sources_.size()) co_return std::move(*failed);
  }
  co_return page;
}

}  // namespace carillon
