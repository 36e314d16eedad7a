#include "http/request_parser.h"

#include <algorithm>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include "base/text.h"

namespace carillon {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view kLastChunk = "0\r\n\r\n";

std::string_view view_of(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

Error bad_request(const boost::beast::error_code& ec) {
  return {"bad_request", ec.message(), ""};
}

/// The path and the query of an origin-form ("/v1/tasks?x") or absolute-form
/// ("http://host/v1/tasks?x") target; the host and port of the latter.
std::string_view split_target(std::string_view target, HttpRequest& request) {
  std::string_view authority;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    target.remove_prefix(scheme.size());
    authority = target.substr(0, target.find_first_of("/?"));
    target.remove_prefix(authority.size());
    if (target.empty()) target = "/";
    break;
  }
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string_view::npos) request.query = target.substr(question + 1);
  return authority;
}

/// Beast lets control characters pass in the quoted values of chunk extensions. Some programs end
/// a line at a bare line feed: they would read what follows it as the chunk.
bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text,
                             [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}

}  // namespace

RequestParser::RequestParser(std::string& body) : body_(body) {
  // Both limits are the connection's, which knows what they are for this request.
  header_limit(std::uint32_t{1} << 30);
  body_limit(boost::none);
}

Result<> RequestParser::parse_head(std::string_view head, HttpRequest& request) {
  request_ = &request;
  error_code ec;
  put(boost::asio::buffer(head.data(), head.size()), ec);
  if (ec) return bad_request(ec);
  if (!is_header_done()) return Error{"bad_request", "the head is incomplete", ""};
  request.fields = HttpFields(head);
  return {};
}

bool RequestParser::keep_alive() const {
  return basic_parser::keep_alive();
}

bool RequestParser::chunked() const {
  return basic_parser::chunked();
}

std::uint64_t RequestParser::content_length() const {
  return basic_parser::content_length().value_or(0);
}

bool RequestParser::cross_origin() const {
  if (fetch_site_ == "cross-site" || fetch_site_ == "same-site") return true;
  if (origin_.empty()) return false;
  const std::size_t authority = origin_.find("://");
  return authority == std::string_view::npos ||
         !same_in_any_case(origin_.substr(authority + 3), authority_);
}

Result<RequestParser::Progress> RequestParser::feed(std::string_view bytes,
                                                    std::size_t body_bytes_max) {
  body_bytes_max_ = body_bytes_max;
  Progress progress;
  while (!is_done() && progress.consumed < bytes.size()) {
    error_code ec;
    const std::string_view rest = bytes.substr(progress.consumed);
    // Beast 1.81 asserts that the last chunk is not shown to it in pieces of fewer bytes than it
    // has.
    if (rest.front() == '0' && rest.size() < kLastChunk.size()) break;
    progress.consumed += put(boost::asio::buffer(rest.data(), rest.size()), ec);
    if (ec == http::error::need_more) break;
    if (ec == http::error::body_limit)
      return Error{"body_too_large",
                   "the body may have " + std::to_string(body_bytes_max) + " bytes", ""};
    if (ec) return bad_request(ec);
  }
  progress.done = is_done();
  return progress;
}

void RequestParser::on_request_impl(http::verb, string_view method_text, string_view target,
                                    int version, error_code&) {
  version_ = version;
  request_->method = view_of(method_text);
  authority_ = split_target(view_of(target), *request_);
}

void RequestParser::on_field_impl(http::field name, string_view name_text, string_view value,
                                  error_code& ec) {
  if (!in_head_) return;
  std::string_view* known = nullptr;
  switch (name) {
    case http::field::content_type:
      known = &request_->content_type;
      break;
    case http::field::content_encoding:
      // A list in as many fields as its sender likes, in which `identity` says nothing.
      if (!value.empty() && !same_in_any_case(view_of(value), "identity"))
        request_->content_coding = view_of(value);
      break;
    case http::field::authorization:
      known = &request_->authorization;
      break;
    case http::field::expect:
      known = &expect_;
      break;
    case http::field::origin:
      known = &origin_;
      break;
    case http::field::host:
      known = &host_;
      break;
    default:
      break;
  }
  if (known == nullptr) known = fetch_field(view_of(name_text));
  if (known == nullptr) return on_trace_field(view_of(name_text), view_of(value));
  // Of a header that means something there must be one.
  if (!known->empty()) ec = http::error::bad_field;
  *known = view_of(value);
}

/// Where one of what browsers say of the page that asks is kept.
std::string_view* RequestParser::fetch_field(std::string_view name) {
  constexpr std::string_view kPrefix = "sec-fetch-";
  if (!same_in_any_case(name.substr(0, kPrefix.size()), kPrefix)) return nullptr;
  name.remove_prefix(kPrefix.size());
  if (same_in_any_case(name, "site")) return &fetch_site_;
  if (same_in_any_case(name, "mode")) return &fetch_mode_;
  if (same_in_any_case(name, "dest")) return &fetch_dest_;
  return nullptr;
}

void RequestParser::on_trace_field(std::string_view name, std::string_view value) {
  constexpr std::string_view kParent = "traceparent", kState = "tracestate";
  std::string_view* known = nullptr;
  if (same_in_any_case(name, kParent)) known = &request_->traceparent;
  if (same_in_any_case(name, kState)) known = &request_->tracestate;
  if (known == nullptr) return;
  has_two_traces_ = has_two_traces_ || !known->empty();
  *known = value;
}

void RequestParser::on_header_impl(error_code&) {
  in_head_ = false;
  if (has_two_traces_) request_->traceparent = request_->tracestate = {};
  if (authority_.empty()) authority_ = host_;
}

std::size_t RequestParser::on_body_impl(string_view body, error_code&) {
  body_.append(body.data(), body.size());
  return body.size();
}

void RequestParser::on_chunk_header_impl(std::uint64_t size, string_view extensions,
                                         error_code& ec) {
  if (has_control_character(view_of(extensions))) {
    ec = http::error::bad_chunk_extension;
    return;
  }
  if (size > body_bytes_max_ || body_.size() + size > body_bytes_max_) ec = http::error::body_limit;
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, string_view body, error_code&) {
  body_.append(body.data(), body.size());
  return body.size();
}

}  // namespace carillon
