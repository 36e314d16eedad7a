// Pages of all shards, and the export of all shards.

#include "cluster/list_merge.h"
#include "cluster/router.h"

namespace carillon {
namespace {

/// One shard after the other. A shard of this node is kept, even if it moves away meanwhile: what
/// is pending throughout is still there.
class ClusterExport final : public Export {
 public:
  explicit ClusterExport(const Reach& reach) : reach_(reach) {}

  [[nodiscard]] Async<Answer<std::vector<TaskView>>> next() override {
    while (shard_ < reach_.map().shards()) {
      Answer<std::vector<TaskView>> some = co_await next_of_shard();
      if (!some || !some->empty()) co_return some;
      ++shard_;
      local_.reset();
      service_.reset();
      number_ = 0;
    }
    co_return std::vector<TaskView>();
  }

 private:
  /// What pieces take is accounted for where they are made; this one holds none of it.
  [[nodiscard]] Async<Answer<std::vector<TaskView>>> next_of_shard() {
    if (!local_ && number_ == 0) service_ = reach_.map().local(shard_);
    if (service_ && !local_) local_ = service_->export_pending();
    if (local_) co_return co_await local_->next();
    shard_call::ExportSome call;
    call.number = number_;
    Answer<shard_call::ExportTold> told = co_await reach_.ask(shard_, call);
    if (!told) co_return std::move(told).error();
    number_ = told->number;
    co_return std::move(told->tasks);
  }

  const Reach& reach_;
  ShardNumber shard_ = 0;
  std::shared_ptr<TaskService> service_;
  std::unique_ptr<Export> local_;
  std::uint64_t number_ = 0;  // of the export, where the shard is elsewhere
};

}  // namespace

Async<Answer<Page>> Router::list(TaskFilter filter, std::string cursor, std::size_t limit) {
  ListMerge merge(reach_, std::move(filter), limit);
  co_return co_await merge.page(std::move(cursor));
}

std::unique_ptr<Export> Router::export_pending() {
  return std::make_unique<ClusterExport>(reach_);
}

}  // namespace carillon
