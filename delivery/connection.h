// One connection to a receiver: connect, send a request, read its answer, and again.
//
// Operation: from the moment it is connected a read is always under way, also while nothing is
// asked, so a receiver that closes an idle connection is noticed at once and not by the next push.
// A request is written at once with one system call where the socket takes it whole.
//
// Concurrency: one loop's thread. Handlers that wait in the loop keep the connection alive; after
// `close` they do nothing.
//
// Limitations: one request at a time, no pipelining.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "delivery/answer.h"
#include "net/deadlines.h"
#include "net/tls.h"

namespace carillon {

struct Attempt;
struct Pool;

class PushConnection : public std::enable_shared_from_this<PushConnection> {
 public:
  using tcp = boost::asio::ip::tcp;

  /// Whom a connection reports to; never from inside `connect` or `send`. A handler may close or
  /// drop the connection.
  class Events {
   public:
    virtual ~Events() = default;
    virtual void connected(PushConnection& connection) = 0;
    /// The answer is whole (`answer()`). `reusable`: the connection is idle and may be sent on
    /// again; else it is closed.
    virtual void answered(PushConnection& connection, bool reusable) = 0;
    /// It broke or the receiver closed it, connecting, sending, waiting or idle; it is closed.
    virtual void failed(PushConnection& connection, std::string why) = 0;
  };

  /// `tls` empty: plain HTTP. `events` must live until `close`.
  PushConnection(boost::asio::io_context& loop, Events& events, TlsContext tls);
  ~PushConnection();
  PushConnection(const PushConnection&) = delete;
  PushConnection& operator=(const PushConnection&) = delete;

  /// Tries the endpoints in order until one takes the connection, each for as long as `each` says,
  /// TLS handshake included. `host` is what the certificate must be for.
  void connect(std::vector<tcp::endpoint> endpoints, const std::string& host, Deadlines& each);

  /// The buffer of the request's head, to be filled before `send`. Keeps its storage.
  [[nodiscard]] std::string& head() { return out_; }
  /// Sends the head and `body`, which must stay where it is until the answer, a failure or `close`.
  void send(std::string_view body);
  /// Whether a byte of the answer to what was last sent has come.
  [[nodiscard]] bool answer_began() const { return answer_began_; }
  [[nodiscard]] const AnswerReader& answer() const { return answer_; }

  /// Whether it failed because the process may open no more files.
  [[nodiscard]] bool lacked_descriptor() const { return lacked_descriptor_; }

  /// When it was connected; not before.
  [[nodiscard]] std::chrono::steady_clock::time_point opened_at() const { return opened_at_; }
  /// Closes with a failure after `patience` unless `send` comes first.
  void expect_use(Deadlines& patience);
  /// Closes at once; no event from now on. May be called again.
  void close();

  /// Whose push it carries; the owner's to use.
  Attempt* attempt = nullptr;
  /// Where it is kept while idle; the owner's to use.
  Pool* pool = nullptr;

 private:
  enum class State { starting, connecting, shaking_hands, idle, busy, closed };
  using Error = boost::system::error_code;
  using TlsStream = boost::asio::ssl::stream<tcp::socket&>;

  void connect_next();
  void on_connected(Error error);
  void shake_hands();
  [[nodiscard]] std::string connecting_to() const;
  void established();
  void try_next(const std::string& why);
  void write_rest();
  void read_more();
  void on_read(Error error, std::size_t size);
  AnswerReader::Progress take_input(Error error, std::size_t size);
  void finish_answer(AnswerReader::Progress progress);
  void fail(std::string why);
  void on_deadline();

  boost::asio::io_context& loop_;
  Events* events_;
  tcp::socket socket_;
  TlsContext tls_context_;
  std::optional<TlsStream> tls_;
  State state_ = State::starting;

  std::vector<tcp::endpoint> endpoints_;
  std::size_t tried_ = 0;  // endpoints, the current one included
  std::string host_;
  Deadlines* each_ = nullptr;
  Deadline deadline_;

  std::string out_;
  std::string_view body_;
  std::size_t written_ = 0;
  bool sending_ = false;

  std::vector<char> in_;
  std::size_t in_size_ = 0;
  AnswerReader answer_;
  bool answer_began_ = false;
  bool lacked_descriptor_ = false;
  std::chrono::steady_clock::time_point opened_at_{};
};

/// "10.0.0.7:443", "[::1]:80".
[[nodiscard]] std::string endpoint_text(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace carillon
