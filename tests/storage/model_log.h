// A replicated stream and the logs of those who want to own it, for tests of several nodes.
//
// Operation: a ModelStream holds messages at numbered places. It takes one only at the next place,
// so of several senders who aim at a place one wins. Nobody hears how his message fared: he looks
// what lies at that place. A ModelLog is one node's log over it. Whatever it says to the stream
// goes through `carry`, which brings it there later, twice or never; so do the answers. So an
// append is sent again and again until the node sees what lies at its place: its own message, then
// it is committed; another one, or a stream that begins behind that place, then it is fenced.
// Nothing else decides.
//
// A node keeps a mirror, a MemoryDisk, of what it has read, followed and appended, and fetches from
// it. An owner's has what it appends itself, and nothing that others do. `take_over` is an append
// that holds nothing: once it is committed, whatever an earlier owner still sends comes to nothing.
//
// Concurrency: one thread. Limitations: the stream itself neither fails nor forgets.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "tests/storage/memory_log.h"

namespace carillon {

class ModelStream {
 public:
  using Place = std::uint64_t;
  struct Message {
    std::uint64_t nonce = 0;  // no other message has it
    std::uint64_t from = 0;   // ModelLog::Options::number
    bool takes_over = false;
    Batch batch;
  };

  explicit ModelStream(SipKey key = MemoryDisk().key) : key_(key) {}
  /// `taken` is told of each message that the stream takes.
  explicit ModelStream(std::function<void(const Message&)> taken)
      : key_(MemoryDisk().key), taken_(std::move(taken)) {}
  [[nodiscard]] const SipKey& key() const { return key_; }
  /// Takes the message if `place` is the next; else nothing happens.
  void append(Place place, const Message& message);
  /// What lies there; null: nothing yet, or nothing any more.
  [[nodiscard]] const Message* at(Place place) const;
  [[nodiscard]] Place first() const { return first_; }
  [[nodiscard]] Place next() const { return first_ + messages_.size(); }
  [[nodiscard]] std::uint64_t new_nonce() { return ++nonces_; }

 private:
  SipKey key_;
  Place first_ = 1;
  std::deque<Message> messages_;
  std::uint64_t nonces_ = 0;
  std::function<void(const Message&)> taken_;  // may be empty
};

class ModelLog final : public Log {
 public:
  using Step = std::function<void()>;
  struct Options {
    Post post;
    /// Brings a step across to the stream, or back: calls it later, perhaps twice, or never.
    std::function<void(Step)> carry;
    /// Calls the step after the time that an answer is waited for.
    std::function<void(Step)> wait;
    std::uint64_t number = 0;  // of this node
  };

  ModelLog(Options options, std::shared_ptr<ModelStream> stream);
  ~ModelLog() override;

  [[nodiscard]] SipKey key() const override { return stream_->key(); }
  /// Builds the mirror anew: with all that the stream holds at this moment.
  [[nodiscard]] Result<> read(
      Sequence from, const std::function<void(Batch&&)>& visit,
      const std::function<void(std::uint64_t, std::uint64_t)>& progress) override;
  void follow(Sequence from, std::uint64_t bytes, Followed done) override;
  void append(Batch&& batch, AppendDone done) override;
  void fetch(Fetch wanted, std::function<void(std::vector<Fetched>)> done) override;
  void read_oldest(std::uint64_t bytes, std::function<void(std::vector<Batch>)> done) override;
  /// Always an error, as with MemoryLog.
  void checkpoint(std::string dir, std::function<void(Result<>)> done) override;
  [[nodiscard]] LogStats stats() const override;
  /// Nothing is called back any more.
  void close() override;

  /// Makes this node the owner of the stream as it was last read or followed; fenced: somebody has
  /// appended to it since, and it can go on following.
  void take_over(std::function<void(Appended)> done);
  /// What this node has of the stream.
  [[nodiscard]] const MemoryDisk& mirror() const { return *mirror_; }

 private:
  using Place = ModelStream::Place;
  /// What the stream has at a place, as a node hears it.
  enum class Seen { nothing, mine, another };
  struct Sending {
    Place place = 0;
    ModelStream::Message message;
    std::function<void(Appended)> done;
  };

  void repeat_what_is_kept(Batch& batch) const;
  void send(ModelStream::Message message, std::function<void(Appended)> done);
  void send_again(const std::shared_ptr<Sending>& sending);
  void decide(const std::shared_ptr<Sending>& sending, Seen seen);
  void start_mirror();
  [[nodiscard]] std::optional<Result<std::vector<Batch>>> take_from(Sequence from,
                                                                    std::uint64_t bytes);

  Options options_;
  std::shared_ptr<ModelStream> stream_;
  std::shared_ptr<MemoryDisk> mirror_;
  std::unique_ptr<MemoryLog> reader_;  // of the mirror
  Place next_ = 1;                     // behind what the mirror has
  std::shared_ptr<Sending> sending_;   // empty: nothing is under way
  bool owner_ = false;
  bool fenced_ = false;
  LogStats counts_;  // of appends
  /// Gone when the log is closed.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace carillon
