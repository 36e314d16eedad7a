#include "storage/jetstream/catch_up.h"

#include <filesystem>
#include <thread>

#include <fmt/format.h>

#include "storage/bytes.h"

namespace carillon {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kAskAgainAfter{100};
constexpr std::chrono::seconds kLeaveAfter{3};

Error behind(const StreamName& stream, StreamPlace end, StreamPlace mirrored) {
  return storage_error(fmt::format(
      "the stream {} ends at message {}, but this mirror of it has message {}: NATS has lost what "
      "it had acknowledged. {}",
      stream.name, end, mirrored, how_to_go_on(stream)));
}

/// Nothing: to be asked again.
std::optional<Result<StreamExtent>> compare(JetstreamClient& nats, const StreamName& stream,
                                            const Genesis& genesis, const StreamPosition& end,
                                            const StreamExtent& extent) {
  if (end.place == 0 || extent.first > end.place) return extent;
  const auto message = nats.message_at(stream, end.place);
  // Trimmed in the meantime, or not answered.
  if (!message || !*message) return std::nullopt;
  if (hash_of_message(genesis, **message) == end.hash) return extent;
  return storage_error(
      fmt::format("the chain is broken: message {} of the stream {} is not the one that this "
                  "mirror has. {}",
                  end.place, stream.name, how_to_go_on(stream)));
}

}  // namespace

std::string how_to_go_on(const StreamName& stream) {
  return fmt::format(
      "Nothing was changed, and the shard is not served from here. Where the servers of NATS that "
      "have the rest of {} are away, bring them back. Where it is lost, seed a new cluster from "
      "the node that has seen the most. To go on without what the stream lacks, move this "
      "directory away: it is built anew from the stream.",
      stream.name);
}

Result<StreamExtent> compare_with_mirror(JetstreamClient& nats, const StreamName& stream,
                                         const Genesis& genesis, const StreamPosition& end,
                                         milliseconds patience) {
  const auto began = steady_clock::now();
  auto since = began;
  std::uint64_t connection = nats.connection();
  while (true) {
    const auto extent = nats.extent(stream);
    if (extent && extent->last >= end.place) {
      if (auto compared = compare(nats, stream, genesis, end, *extent)) return *std::move(compared);
    }
    if (!extent && extent.error().slug == "storage") return extent.error();
    const auto now = steady_clock::now();
    if (now - began >= patience) {
      if (extent && extent->last < end.place) return behind(stream, extent->last, end.place);
      if (extent) return Error{"network", "NATS does not answer what the stream has", ""};
      const bool lost = extent.error().slug == "no_stream" && end.place > 0;
      return lost ? behind(stream, 0, end.place) : extent.error();
    }
    if (now - since >= kLeaveAfter) {
      nats.leave(connection);
      connection = nats.connection();
      since = now;
    }
    std::this_thread::sleep_for(kAskAgainAfter);
  }
}

Result<std::unique_ptr<Mirror>> open_mirror_anew(const RocksdbLogOptions& options) {
  const std::string old = options.dir + ".old";
  std::error_code error;
  std::filesystem::remove_all(old, error);
  if (!error) std::filesystem::rename(options.dir, old, error);
  if (error) {
    return storage_error(
        fmt::format("{}: moving it away to build it anew: {}", options.dir, error.message()));
  }
  remove_left_over_mirror(options.dir);
  return open_mirror(options);
}

void remove_left_over_mirror(const std::string& dir) {
  std::error_code error;  // It is only space.
  std::filesystem::remove_all(dir + ".old", error);
}

}  // namespace carillon
