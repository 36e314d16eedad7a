// Where tasks come from that `carillon import` adds: a file, a sorted set of Redis, a queue of
// RabbitMQ.
//
// Operation: a source gives some tasks at a time, and hears what became of each before it is asked
// for more. So what it takes away at its own end, it takes away only when Carillon has the task;
// and an import that was interrupted can be done again.
//
// Concurrency: none.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/url.h"

namespace carillon {
class JsonWriter;
}

namespace carillon::client {

/// Of the tasks given at once.
inline constexpr std::size_t kImportBytesMax = std::size_t{8} << 20;

struct ImportedTask {
  std::string json;   // as tasks:batchCreate takes it
  std::string place;  // where it stands, for a person: "line 7"
};

class ImportSource {
 public:
  ImportSource() = default;
  virtual ~ImportSource() = default;
  ImportSource(const ImportSource&) = delete;
  ImportSource& operator=(const ImportSource&) = delete;

  /// The next tasks, up to `count`; none: there are no more. What was read before an error is given
  /// first, and the error the next time.
  [[nodiscard]] virtual Result<std::vector<ImportedTask>> next(std::size_t count) = 0;
  /// The status that each of these tasks was answered with, as a single call would have had it.
  [[nodiscard]] virtual Result<> settled(const std::vector<unsigned>& /*statuses*/) { return {}; }
};

/// What the command line says of a source that is a server.
struct ImportOptions {
  std::string url;  // empty: the usual one on this machine
  std::string username;
  std::string password_file;
  std::string target;  // of every task
  std::string group;
  std::string lane;
  std::string delay;       // of messages that do not say how long they wait; empty: they stay
  bool removes = false;    // from the sorted set what Carillon has
  bool takes_key = false;  // of a message: its routing key becomes the task's
};

// Error slugs: bad_file, bad_source, unreachable.

[[nodiscard]] Result<std::unique_ptr<ImportSource>> open_import_file(const std::string& path);
/// Members of the sorted set `key`, whose scores are when they are due.
[[nodiscard]] Result<std::unique_ptr<ImportSource>> open_import_redis(const std::string& key,
                                                                      const ImportOptions& options);
/// Messages of `queue` that say how long they wait.
[[nodiscard]] Result<std::unique_ptr<ImportSource>> open_import_amqp(const std::string& queue,
                                                                     const ImportOptions& options);

/// What every task has that comes from a server.
void append_import_members(JsonWriter& json, const ImportOptions& options);
/// Its URL, `usual` where none is given. Error slug: bad_source.
[[nodiscard]] Result<Url> import_url(const ImportOptions& options, const char* usual,
                                     const UrlSchemes& schemes);
/// The password that the file holds; empty where none is named. Error slug: bad_file.
[[nodiscard]] Result<std::string> import_password(const ImportOptions& options);
/// `text` where it can be an id, else one that is made of its digest.
[[nodiscard]] std::string import_id(std::string_view text);
/// A text of 32 digits that stands for `bytes`: the same always, and for no others.
[[nodiscard]] std::string import_digest(std::string_view bytes);

}  // namespace carillon::client
