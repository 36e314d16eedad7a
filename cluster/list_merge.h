// A page of a list, put together from the pages of all shards.
//
// Operation: every shard has its tasks in the one order of lists (shard/list_key.h), so a page is
// the first of what they have, again and again. Ids are hashed, so each shard is asked for about
// its share of the page first, and then, where it has more, for all that is still missing.
//
// The cursor is one place in the order, behind the last task of the page; it is a place in every
// shard, however many there are. Tasks of two shards that agree in due and part of the fingerprint
// stand in the order of their shards.
//
// A shard that does not answer is left out of the page, and named. Its tasks that belonged there do
// not come later: whoever needs them begins again.
//
// Concurrency: as cluster/reach.h. Limitations: what a page takes while it is put together is
// accounted for by no shard.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/reach.h"
#include "shard/list_key.h"

namespace carillon {

/// A place in the order of all shards.
struct ClusterKey {
  ListKey key;
  ShardNumber shard = 0;
};
/// "1800000000000-1f-17-3": as of a shard (engine/list_cursor.h), and the shard.
[[nodiscard]] std::string format_cluster_cursor(const ClusterKey& last);
/// Nothing where it is none of ours.
[[nodiscard]] std::optional<ClusterKey> parse_cluster_cursor(std::string_view text);
/// The same place in one of the shards, as it reads it.
[[nodiscard]] std::string shard_cursor(const ClusterKey& last, ShardNumber shard);

class ListMerge {
 public:
  /// `reach` must outlive it.
  ListMerge(const Reach& reach, TaskFilter filter, std::size_t limit);

  /// The page behind `cursor`; empty: the first. Error slugs: bad_cursor; shard_silent where no
  /// shard answers. Once.
  [[nodiscard]] Async<Answer<Page>> page(std::string cursor);

 private:
  /// What a shard has that is not on the page yet.
  struct Source {
    Page page;
    std::size_t next = 0;  // of that page
    bool more = true;      // behind it
    std::string cursor;    // where that begins
    std::optional<Refusal> failed;

    [[nodiscard]] bool has_some() const { return next < page.tasks.size(); }
    [[nodiscard]] const ListKey& key() const { return page.keys[next]; }
  };

  [[nodiscard]] Async<void> refill(ShardNumber shard, std::size_t wanted);
  [[nodiscard]] Async<void> refill_those_that_need_it(std::size_t wanted);
  void take_first(Page& page, ClusterKey& last);
  [[nodiscard]] bool anything_left() const;

  const Reach& reach_;
  TaskFilter filter_;
  std::size_t limit_;
  std::vector<Source> sources_;  // by shard
};

}  // namespace carillon
