// Takes one request apart: Beast's parser, fed by hand, keeping views instead of copies.
//
// Operation: the whole head is handed over at once (http/framing.h has found its end and checked
// it). A body of known length is not parsed at all: the connection takes that many bytes. A chunked
// one is fed piece by piece.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

#include "base/result.h"
#include "http/message.h"

namespace carillon {

class RequestParser final : private boost::beast::http::basic_parser<true> {
 public:
  /// `body` receives what comes in chunks.
  explicit RequestParser(std::string& body);

  /// Parses `head`, which must stay where it is as long as the views in `request` are used.
  /// Error: bad_request.
  [[nodiscard]] Result<> parse_head(std::string_view head, HttpRequest& request);

  // After parse_head:
  [[nodiscard]] bool keep_alive() const;
  [[nodiscard]] bool http_1_0() const { return version_ == 10; }
  [[nodiscard]] bool chunked() const;
  /// 0 where there is no body, and where it is chunked.
  [[nodiscard]] std::uint64_t content_length() const;
  /// The Expect header, empty where there is none.
  [[nodiscard]] std::string_view expect() const { return expect_; }
  /// The host and port that the request is for: the target's where it has one, else those of Host.
  [[nodiscard]] std::string_view authority() const { return authority_; }
  /// Whether a browser says that a page of another origin sends this.
  [[nodiscard]] bool cross_origin() const;
  /// Whether a browser says that it goes there itself, to show what it gets: not a page's script,
  /// nor a frame in one.
  [[nodiscard]] bool follows_link() const {
    return origin_.empty() && fetch_mode_ == "navigate" && fetch_dest_ == "document" &&
           request_->method == "GET";
  }

  struct Progress {
    std::size_t consumed = 0;
    bool done = false;
  };
  /// Feeds the next bytes of a chunked body. What is not consumed comes again, with more behind it.
  /// Errors: bad_request, body_too_large.
  [[nodiscard]] Result<Progress> feed(std::string_view bytes, std::size_t body_bytes_max);

 private:
  using string_view = boost::beast::string_view;
  using error_code = boost::beast::error_code;
  void on_request_impl(boost::beast::http::verb method, string_view method_text, string_view target,
                       int version, error_code& ec) override;
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(boost::beast::http::field name, string_view name_text, string_view value,
                     error_code& ec) override;
  [[nodiscard]] std::string_view* fetch_field(std::string_view name);
  void on_trace_field(std::string_view name, std::string_view value);
  void on_header_impl(error_code& ec) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code& ec) override;
  void on_chunk_header_impl(std::uint64_t size, string_view extensions, error_code& ec) override;
  std::size_t on_chunk_body_impl(std::uint64_t remain, string_view body, error_code& ec) override;
  void on_finish_impl(error_code&) override {}

  std::string& body_;
  HttpRequest* request_ = nullptr;
  int version_ = 11;
  bool in_head_ = true;  // afterwards fields are trailers, which nobody reads
  bool has_two_traces_ = false;
  std::size_t body_bytes_max_ = 0;
  std::string_view expect_, origin_, authority_, host_, fetch_site_, fetch_mode_, fetch_dest_;
};

}  // namespace carillon
