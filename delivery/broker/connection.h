// One connection to a broker, on which pushes are pipelined. What is said on it is its kind's.
//
//     opening ──▶ greeting ──▶ ready ◀──▶ checking
//        │           │           │            │
//        └───────────┴───────────┴────────────┴──▶ closed
//
// Operation: once the broker has let us in, messages are written as they come. What comes while a
// write is under way is written together with the next; until then it can still be withdrawn. Each
// message is over when the broker has answered it.
//
// An attempt ends only when its message can no longer leave. So where the answer to one is late,
// the connection is reset, and all that was sent on it and not answered fails. A broker that stops
// still has what its kernel took before, so little may be sent to one that could have stopped:
//
// - Nothing more is sent while answers are awaited and nothing came for a second.
// - A connection that awaits nothing, and on which nothing came for a second, is first asked a
//   question. What waits is sent when the answer has come.
//
// An idle connection is asked each half minute, and closed after ten minutes. Where the egress
// rules come to deny the address, nothing more is sent. While the broker says that it is blocked,
// what waits ends at once with that word for it.
//
// Concurrency: one loop's thread. The owner keeps it until `closed`, its attempts until they have
// ended; the last of them to go closes it.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "delivery/broker/link.h"
#include "delivery/broker/settings.h"
#include "delivery/sink.h"
#include "net/deadlines.h"

namespace carillon {

class BrokerConnection;

/// One push under way.
struct BrokerAttempt {
  template <typename Expired>
  explicit BrokerAttempt(Expired expired) : deadline(std::move(expired)) {}

  Push push;
  std::function<void(PushResult)> done;
  std::shared_ptr<BrokerConnection> connection;
  std::chrono::steady_clock::time_point begun_at{};
  bool is_sent = false;  // handed to the connection's socket
  Deadline deadline;
};

class BrokerConnection : public std::enable_shared_from_this<BrokerConnection>, BrokerLink::Events {
 public:
  /// Whom it reports to; never from inside `open` or `push`. `ended` and `unsent` may do anything.
  class Events {
   public:
    virtual ~Events() = default;
    /// It may be pushed on.
    virtual void ready() = 0;
    /// It takes no more pushes; those under way end after this.
    virtual void closed(BrokerConnection& connection) = 0;
    virtual void ended(BrokerAttempt& attempt, PushResult result) = 0;
    /// It takes no more pushes, none now (error slug: not_now), or not this one (slug: unfit), and
    /// no byte of this one went out. `was_ready`: it was fit for use once.
    virtual void unsent(BrokerAttempt& attempt, const Error& why, bool was_ready) = 0;
  };
  struct Parts {
    BrokerNetwork& network;
    Events& events;
    Deadlines& answers;     // how long a connection or a sign of life may take
    Deadlines& heartbeats;  // how often an idle connection is looked at
    Millis silent_for;      // after that nothing is sent before a sign of life
    /// Its pushes are of this target and of all that share its connections.
    std::shared_ptr<const TargetSettings> target;
    std::string key;  // the owner's to use
  };

  virtual ~BrokerConnection();
  BrokerConnection(const BrokerConnection&) = delete;
  BrokerConnection& operator=(const BrokerConnection&) = delete;

  void open();
  /// Whether the broker takes such a message, and any at all now, as far as it is known. Error
  /// slugs: not_now, unfit.
  [[nodiscard]] Result<> check_push(const Push& push) const;
  /// Only what is taken.
  void push(BrokerAttempt& attempt);
  /// Takes a push back; false: it is sent.
  [[nodiscard]] bool withdraw(BrokerAttempt& attempt);
  /// The answer to this one is late: resets the connection.
  void give_up(BrokerAttempt& late);
  /// Takes no more pushes and closes when the last of its own has ended.
  void retire();
  /// Closes without reporting anything. May be called again.
  void drop();

  [[nodiscard]] const std::string& key() const { return its_.key; }
  [[nodiscard]] bool is_ready() const { return state_ == State::ready; }
  /// Carries no push.
  [[nodiscard]] bool is_idle() const { return carried_ == 0; }
  /// Whether the egress rules still allow its address.
  [[nodiscard]] bool is_allowed() { return link_->check_rules().has_value(); }

 protected:
  explicit BrokerConnection(Parts parts);

  // What a kind says and hears. To write is to append to `out`.

  /// When TLS begins, where there is any.
  [[nodiscard]] virtual BrokerLink::TlsBegins tls_begins() const {
    return BrokerLink::TlsBegins::at_once;
  }
  /// The link is open. What is written is the first that the broker hears.
  [[nodiscard]] virtual Result<> greet(std::string& out, std::string_view password) = 0;
  /// Asks a question that changes nothing, whose answer is a sign of life.
  virtual void write_question(std::string& out) = 0;
  /// Keeps the broker from taking us for dead, where it would; at least each half minute.
  virtual void write_heartbeat(std::string& /*out*/) {}
  /// Whether the broker, which has let us in, takes such a message. Error slug: unfit.
  [[nodiscard]] virtual Result<> check_message(const Push& /*push*/) const { return {}; }
  virtual void write_message(std::string& out, BrokerAttempt& attempt) = 0;
  /// Whether messages may be written now, as far as the kind can tell.
  [[nodiscard]] virtual bool takes_messages() const { return true; }
  /// Behind the last message of one write.
  virtual void end_messages(std::string& /*out*/) {}
  /// These bytes came; reports what they say by the functions below. Error: they cannot be
  /// understood, or the broker does not let us in (slug not_now: for the moment).
  [[nodiscard]] virtual Result<> read(std::string_view bytes) = 0;
  /// Whether anything that was written awaits its answer.
  [[nodiscard]] virtual bool awaits_answers() const = 0;
  /// The attempts among it, which it forgets.
  [[nodiscard]] virtual std::vector<BrokerAttempt*> take_unanswered() = 0;

  // What a kind reports while it reads. After each of these the connection may be closed.

  /// The broker has let us in.
  void let_in();
  void gave_sign_of_life();
  /// The broker takes no more messages until `unblock`.
  void block(std::string why);
  void unblock() { blocked_.reset(); }
  void ended(BrokerAttempt& attempt, PushResult result);
  [[nodiscard]] bool is_closed() const { return state_ == State::closed; }
  [[nodiscard]] const TargetSettings& target() const { return *its_.target; }
  /// For what a kind has to say while it reads.
  [[nodiscard]] std::string& out() { return out_; }

 private:
  using Moment = std::chrono::steady_clock::time_point;
  enum class State { opening, greeting, ready, checking, closed };

  void opened() final;
  void received(std::string_view bytes) final;
  void written() final { write_more(is_silent()); }
  void failed(Error error) final { fail(error); }

  [[nodiscard]] bool is_silent() const;
  void write_more(bool silent);
  void write_messages();
  void ask_for_life();
  void look_after();
  void turn_away(const Error& denied);
  void give_back_waiting(const Error& why);
  void give_back_unfit();
  void take_no_more();
  void drop_when_done();
  void fail(const Error& why, const BrokerAttempt* late = nullptr);

  Parts its_;
  Events* events_;  // null: dropped
  const BrokerSettings& settings_;
  std::shared_ptr<BrokerLink> link_;
  State state_ = State::opening;
  bool was_ready_ = false;
  bool is_retiring_ = false;
  std::size_t carried_ = 0;  // attempts, sent or not
  std::optional<Error> blocked_;
  Moment heard_at_{};
  Moment asked_at_{};  // when the first was written of what is awaited
  Moment used_at_ = std::chrono::steady_clock::now();
  Deadline patience_;  // for the greeting, or a sign of life
  Deadline heartbeat_;
  std::deque<BrokerAttempt*> waiting_;  // not sent
  std::string out_;
};

/// What a broker said, for the text of an error: at most 256 bytes, in plain ASCII.
[[nodiscard]] std::string quoted_answer(std::string_view text);

}  // namespace carillon
