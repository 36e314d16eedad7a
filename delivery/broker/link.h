// One connection to a broker: looked up, allowed, dialled, with TLS where that is wanted; then
// bytes both ways.
//
// Operation: the egress rules judge each address before it is connected to, and `check_rules` asks
// again when they have changed. From the moment it is connected a read is always under way, so a
// broker that goes away is noticed at once. `close` resets the connection: what has not left this
// machine yet never does. TLS begins at once, or after the line that some brokers say first.
//
// Concurrency: one loop's thread. Handlers that wait in the loop keep it alive; after `close` they
// do nothing.
//
// Limitations: brokers are connected to directly, never by the proxy of `egress.proxy`.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "base/result.h"
#include "delivery/sink.h"
#include "net/deadlines.h"
#include "net/dial.h"
#include "net/resolver.h"
#include "net/tls.h"
#include "net/url.h"

namespace carillon {

/// What the connections of one sink share. Must outlive them.
struct BrokerNetwork {
  explicit BrokerNetwork(const SinkOptions& options);

  boost::asio::io_context& loop;
  UrlPolicy& urls;
  Resolver resolver;
  Deadlines next_address;  // when the next address of a name is begun
  Deadlines each_address;  // how long one may take, and after it the TLS handshake
  ClientTlsContexts tls_contexts;
};

class BrokerLink : public std::enable_shared_from_this<BrokerLink> {
 public:
  using tcp = boost::asio::ip::tcp;
  /// After a line: the broker says it in the clear, and when the link is open it is reported as the
  /// first bytes that came.
  enum class TlsBegins { at_once, after_a_line };

  /// Whom it reports to; never from inside `open`, `write` or `check_rules`. Each may close the
  /// link or drop it.
  class Events {
   public:
    virtual ~Events() = default;
    virtual void opened() = 0;
    /// These bytes came; they are gone after the call.
    virtual void received(std::string_view bytes) = 0;
    /// What was given to `write` is on its way.
    virtual void written() = 0;
    /// It could not be opened, or broke; it is closed. Slug `target_denied`: by the egress rules.
    virtual void failed(Error error) = 0;
  };

  /// `events` must live until `close`.
  BrokerLink(BrokerNetwork& network, Events& events, const Url& url, ClientTls tls,
             TlsBegins begins);
  BrokerLink(const BrokerLink&) = delete;
  BrokerLink& operator=(const BrokerLink&) = delete;

  void open();
  [[nodiscard]] bool is_open() const { return state_ == State::open; }
  /// Whether a write is under way; until it is `written` no other may begin.
  [[nodiscard]] bool is_writing() const { return writing_; }
  /// Sends `bytes`, and gives a spare buffer in exchange.
  void write(std::string& bytes);
  /// Whether the egress rules still allow its address. Error slug: target_denied.
  [[nodiscard]] Result<> check_rules();
  /// Closes at once; no event from now on. May be called again.
  void close();

 private:
  enum class State { starting, dialling, shaking_hands, open, closed };
  using Code = boost::system::error_code;
  using TlsStream = boost::asio::ssl::stream<tcp::socket&>;

  void resolved(const Result<Resolver::Addresses>& found);
  void dialled(bool connected);
  void hear_first_line();
  void shake_hands();
  void handshake_over(Code failed);
  void try_next_address(const std::string& why);
  void established();
  void read_more();
  void write_over(Code failed);
  void fail(Error error);
  void fail_later(Error error);

  BrokerNetwork& network_;
  Events* events_;
  const Url url_;
  const ClientTls tls_files_;
  const TlsBegins tls_begins_;
  TlsContext tls_context_;
  tcp::socket socket_;
  std::optional<TlsStream> tls_;
  std::shared_ptr<Dial> dial_;
  tcp::endpoint endpoint_;
  Deadline handshake_deadline_;
  State state_ = State::starting;
  std::uint64_t rules_ = 0;  // the edition under which its address was last found allowed
  bool writing_ = false;
  std::string out_;
  std::string first_line_;
  std::array<char, 16 * 1024> in_;
};

}  // namespace carillon
