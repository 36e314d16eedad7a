// One connection to a receiver: connect, send a request, read its answer, and again.
//
// Operation: from the moment it is connected a read is always under way, also while nothing is
// asked, so a receiver that closes an idle connection is noticed at once and not by the next push.
// A request is written at once with one system call where the socket takes it whole. An answer is
// reported as soon as what it says is decided (delivery/http/answer.h); where more of it is to
// come, that is read afterwards, while the push is over already.
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
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "delivery/http/answer.h"
#include "net/deadlines.h"
#include "net/dial.h"
#include "net/proxy.h"
#include "net/tls.h"

namespace carillon {

struct Attempt;
struct Pool;

class PushConnection : public std::enable_shared_from_this<PushConnection> {
 public:
  using tcp = boost::asio::ip::tcp;

  /// What becomes of a connection whose answer is decided.
  enum class After {
    idle,      // the answer was whole, and it may be sent on again
    draining,  // the rest of the answer is to come: `drained` or `failed` will follow
    closed,
  };

  /// Whom a connection reports to; never from inside `connect` or `send`. A handler may close or
  /// drop the connection.
  class Events {
   public:
    virtual ~Events() = default;
    virtual void connected(PushConnection& connection) = 0;
    /// The answer is decided (`answer()`).
    virtual void answered(PushConnection& connection, After after) = 0;
    /// The rest of an answer was read: the connection is idle and may be sent on again.
    virtual void drained(PushConnection& connection) = 0;
    /// It broke or the receiver closed it, connecting, sending, waiting or idle; it is closed.
    virtual void failed(PushConnection& connection, std::string why) = 0;
  };

  /// `tls` empty: plain HTTP. `events` must live until `close`.
  PushConnection(boost::asio::io_context& loop, Events& events, TlsContext tls);
  ~PushConnection();
  PushConnection(const PushConnection&) = delete;
  PushConnection& operator=(const PushConnection&) = delete;

  /// Connects to the first of `endpoints` that answers, TLS handshake included
  /// (net/dial.h): `next` is when the next of them is begun, `each` how long one may
  /// take. `host` is what the certificate must be for.
  void connect(std::vector<tcp::endpoint> endpoints, const std::string& host, Deadlines& next,
               Deadlines& each);

  /// Before `connect`, which then ends at a proxy: asks it for a tunnel with this request.
  void ask_for_tunnel(std::string request) { tunnel_request_ = std::move(request); }

  /// The buffer of the request's head, to be filled before `send`. Keeps its storage.
  [[nodiscard]] std::string& head() { return out_; }
  /// Sends the head and `body`, which must stay where it is until the answer, a failure or `close`.
  /// If any bytes of the answer's body are wanted, these are waited for, too.
  void send(std::string_view body, std::size_t answer_body_bytes = 0);

  /// Whether a byte of what was last sent went out, so that the receiver may have seen it.
  [[nodiscard]] bool may_be_seen() const { return may_be_seen_; }
  [[nodiscard]] const AnswerReader& answer() const { return answer_; }
  /// Whom it is connected to; not before it is.
  [[nodiscard]] const tcp::endpoint& endpoint() const { return endpoint_; }
  /// The addresses that could not be connected to.
  [[nodiscard]] const std::vector<tcp::endpoint>& unreachable() const { return unreachable_; }
  /// Whether it failed because the process may open no more files.
  [[nodiscard]] bool lacked_descriptor() const { return lacked_descriptor_; }
  /// When it was connected; not before.
  [[nodiscard]] std::chrono::steady_clock::time_point opened_at() const { return opened_at_; }

  /// Of an idle one: whether the receiver neither closed it nor sent anything, as far as the kernel
  /// knows by now.
  [[nodiscard]] bool is_quiet();
  /// Closes with a failure after `patience` unless `send` comes first.
  void expect_use(Deadlines& patience);
  /// Closes at once; no event from now on. May be called again.
  void close();

  /// Whose push it carries; the owner's to use.
  Attempt* attempt = nullptr;
  /// Where it is kept while idle or draining; the owner's to use.
  Pool* pool = nullptr;
  /// Under which edition of the egress rules its address was last found allowed; the owner's.
  std::uint64_t rules = 0;
  /// The proxy that it goes by; empty: none; the owner's.
  std::shared_ptr<const Proxy> proxy;

 private:
  enum class State {
    starting,
    connecting,
    tunnelling,
    shaking_hands,
    idle,
    busy,
    draining,
    closed
  };
  using Error = boost::system::error_code;
  using TlsStream = boost::asio::ssl::stream<tcp::socket&>;

  void dialled(bool connected);
  void open_tunnel();
  void read_tunnel_answer_on();
  void tunnel_answered(Error failed, std::size_t size);
  void shake_hands();
  void handshake_over(Error failed);
  void try_next_address(const std::string& why);
  void established();
  void write_rest();
  void read_more();
  void on_read(Error error, std::size_t size);
  AnswerReader::Progress take_input(Error error, std::size_t size);
  void report_answer(AnswerReader::Progress progress);
  void finish_draining(AnswerReader::Progress progress);
  [[nodiscard]] bool is_reusable(AnswerReader::Progress progress) const;
  void become_idle();
  void fail(std::string why);
  void on_deadline();

  boost::asio::io_context& loop_;
  Events* events_;
  tcp::socket socket_;
  TlsContext tls_context_;
  std::optional<TlsStream> tls_;
  State state_ = State::starting;

  std::shared_ptr<Dial> dial_;
  tcp::endpoint endpoint_;
  std::vector<tcp::endpoint> unreachable_;
  std::string host_;
  std::string tunnel_request_;  // empty: no tunnel is needed
  Deadlines* each_ = nullptr;
  Deadline deadline_;

  std::string out_;
  std::string_view body_;
  std::size_t written_ = 0;
  bool sending_ = false;
  bool may_be_seen_ = false;
  std::vector<char> in_;
  std::size_t in_size_ = 0;
  AnswerReader answer_;
  bool lacked_descriptor_ = false;
  bool is_late_ = false;  // its time for the tunnel or the handshake is up
  std::chrono::steady_clock::time_point opened_at_{};
};

}  // namespace carillon
