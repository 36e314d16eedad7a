// Kinds of receivers: what a target's settings have beyond what all of them share, and how its
// pushes are carried.
//
// Operation: `kinds` lists what this program can push to; a target's member `kind` chooses one. A
// kind reads, checks, writes and hides the settings that are its own, and opens the sink that
// carries its pushes. Nobody else knows them: engine and API see a TargetSettings and a Sink. A new
// kind is a folder of its own in delivery/ and a line in kinds.cc.
//
// Concurrency: settings do not change once they are read, and may be shared between threads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "base/json.h"
#include "base/result.h"
#include "delivery/mask.h"
#include "delivery/sink.h"

namespace carillon {

struct TargetKind;

/// The settings that a kind adds to those of delivery/target.h. Slugs of errors are those of
/// docs/api.md for targets; `field` is the member's name.
class KindSettings {
 public:
  /// In a target's JSON the kind's own members stand in three places.
  enum class Place {
    receiver,    // who receives what: first
    connection,  // how connections are used: behind `timeout`
    trust,       // secrets and certificates: behind `hold_max`
  };

  explicit KindSettings(const TargetKind& kind) : kind_(&kind) {}
  virtual ~KindSettings() = default;
  [[nodiscard]] const TargetKind& kind() const { return *kind_; }

  /// Reads a member, one of `TargetKind::members`.
  [[nodiscard]] virtual Result<> read(std::string_view key, simdjson::ondemand::value from) = 0;
  /// The same with what `before` has (of the same kind; null: there is none) in the place of hidden
  /// values. Error slug: secret_needed where it has nothing, or where a secret would go to another
  /// host.
  [[nodiscard]] virtual Result<std::shared_ptr<const KindSettings>> with_hidden_kept(
      const KindSettings* before) const = 0;
  /// Whether all of it is there and within bounds.
  [[nodiscard]] virtual Result<> check() const = 0;
  /// Whether a task may name this key, which is not empty. Error slug: key_not_allowed.
  [[nodiscard]] virtual Result<> check_key(std::string_view key) const;
  /// Whether a push may go there, as far as can be told without connecting.
  [[nodiscard]] virtual Result<> check_address(UrlPolicy& urls) const = 0;
  /// Whether the files that it names can be used. Error slug: unusable_file, with file and reason.
  [[nodiscard]] virtual Result<> check_files() const = 0;
  /// Whether a client may name the files and variables of secrets that it names: those that lie in
  /// `secrets_dir` (empty: none does) or begin with CARILLON_SECRET_, and those that `before` (of
  /// the same kind; null: there is none) already has for the same receiver. Error slug: bad_value.
  [[nodiscard]] virtual Result<> check_named_by_client(const std::string& secrets_dir,
                                                       const KindSettings* before) const = 0;

  /// Whether one push can carry several tasks.
  [[nodiscard]] virtual bool takes_several() const { return false; }
  /// How its pushes are batched; where it does not override this, they are not.
  [[nodiscard]] virtual BatchLimit batch() const { return {}; }

  /// Appends the members of one place, as `read` takes them.
  virtual void write(JsonWriter& json, Place place, Secrets secrets) const = 0;
  /// Appends the members that a PUT need not repeat, hidden.
  virtual void write_kept(JsonWriter& json) const = 0;
  /// `other` is of the same kind.
  [[nodiscard]] virtual bool equals(const KindSettings& other) const = 0;

 protected:
  KindSettings(const KindSettings&) = default;
  KindSettings& operator=(const KindSettings&) = default;

 private:
  const TargetKind* kind_;
};

struct TargetKind {
  std::string_view name;
  std::span<const std::string_view> members;  // that it adds to a target's JSON
  std::uint32_t concurrency;                  // of targets that do not say
  std::unique_ptr<KindSettings> (*make_settings)();
  std::unique_ptr<Sink> (*open_sink)(const SinkOptions& options);
};

/// All of them. The first is that of targets that name none, and of tasks that name a URL.
[[nodiscard]] std::span<const TargetKind* const> kinds();
/// Null: there is none of that name.
[[nodiscard]] const TargetKind* find_kind(std::string_view name);

}  // namespace carillon
