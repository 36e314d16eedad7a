// One client's connection: reads a request, has it answered, writes the answer, again and again.
//
// Operation: one coroutine per connection. The head is received whole, checked (http/framing.h) and
// parsed (http/request_parser.h); the service admits the request or refuses it before its body is
// read; then the body is received and the service answers. A request that fits one receive costs
// one receive and one send; requests that were sent ahead are answered in order. Whatever breaks
// the framing is refused and the connection is closed: afterwards nobody could say where the next
// request begins.
//
// A connection is closed by finishing to send and then reading on for a moment, since closing a
// socket with unread input would take the answer back from the client.
//
// Concurrency: everything on the thread of its loop.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "http/connection_hub.h"
#include "http/input_buffer.h"
#include "http/request_parser.h"
#include "http/transport.h"

namespace carillon {

class HttpConnection final : public OpenConnection,
                             public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(boost::asio::io_context& loop, std::shared_ptr<ConnectionHub> hub,
                 Transport::Socket socket, Door door,
                 std::shared_ptr<boost::asio::ssl::context> tls, OpenSlot slot);
  ~HttpConnection() override;
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  /// Serves it to its end; keeps `self` alive meanwhile.
  static Async<void> serve(std::shared_ptr<HttpConnection> self);
  /// Answers 503 too_many_connections and closes.
  static Async<void> turn_away(std::shared_ptr<HttpConnection> self);

  void close_if_idle() override;
  void close() override;

 private:
  enum class Step {
    go_on,
    answered,  // `response_` is what to say
    ended,     // there is nobody to say anything to
  };
  // http/connection.cc: from its first byte to its last.
  Async<bool> shake_hands();
  Async<void> handshake_turn();
  Async<bool> one_request();
  Async<void> linger();
  void arm(Deadlines& deadlines);
  void interrupt(const Error& because);
  void give_way();
  Step refuse(const Error& error);
  Step refuse_page();  // of another origin
  Step refuse_interrupted();
  void release_large_buffers();
  static void release_large(std::string& buffer);
  [[nodiscard]] static Error overloaded();

  // http/connection_receive.cc: a request.
  Async<std::size_t> receive(boost::asio::mutable_buffer into);
  bool grow(std::string& buffer, std::size_t size);
  Async<Step> receive_head();
  Step parse_head();
  Step parse_new_head(std::string_view head);
  [[nodiscard]] bool is_right_host() const;
  bool body_is_here();
  Async<Step> receive_body();
  Async<Step> receive_sized_body(std::size_t length);
  Async<Step> receive_chunked_body();
  Async<Step> ask_to_continue();

  // http/connection_answer.cc: its answer.
  void format_answer();
  bool send_answer_now();
  Async<bool> send_answer();
  Async<bool> send_stream(bool chunked);
  Async<bool> send(std::string_view bytes);

  std::shared_ptr<ConnectionHub> hub_;
  const OpenSlot slot_;
  std::shared_ptr<ConnectionSettings> settings_;
  Transport transport_;
  const Door door_;
  Deadline deadline_;
  boost::asio::io_context& loop_;
  std::optional<Slots::Claim> handshake_;
  Budget::Share buffers_;
  std::optional<Error> interrupted_;  // what is under way shall end, for this reason
  bool idle_ = false;
  bool head_read_ = false;  // `request_` is the one that is being served
  bool close_after_ = false;
  bool sent_all_ = false;

  InputBuffer input_;
  std::size_t head_size_ = 0;
  std::string head_;  // the last head that was parsed; `request_` and `parser_` point into it
  std::shared_ptr<ConnectionSettings> head_settings_;  // under which it was
  std::size_t used_ = 0;                               // of input_, by the request being answered
  std::string wire_;                                   // a chunked body as it comes
  std::string body_;
  std::string output_;
  std::size_t body_bytes_max_ = 0;
  std::optional<RequestParser> parser_;
  HttpRequest request_;
  HttpResponse response_;
};

}  // namespace carillon
