// Requests one after the other: head, framing and body are the same however the bytes are cut, and
// what the parser says of the length is what the head says.
//
// The first byte of the input says how the rest is cut. What is read here is read in the way of
// http/connection_receive.cc.

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "base/text.h"
#include "http/fields.h"
#include "http/framing.h"
#include "http/request_parser.h"
#include "tests/fuzz/fuzz.h"

namespace carillon {
namespace {

constexpr FramingLimits kLimits{1024, 20, 256};
constexpr std::size_t kBodyBytesMax = 2048;

struct Taken {
  std::string method, path, query, content_type, authorization, body;
  friend bool operator==(const Taken&, const Taken&) = default;
};

/// Hands out the bytes of a connection, some at a time.
class Wire {
 public:
  Wire(std::string_view bytes, std::size_t piece) : bytes_(bytes), piece_(piece) {}
  [[nodiscard]] std::string_view held() const { return bytes_.substr(begin_, end_ - begin_); }
  bool receive() {
    if (end_ == bytes_.size()) return false;
    end_ = std::min(bytes_.size(), end_ + piece_);
    return true;
  }
  void consume(std::size_t count) {
    CARILLON_CHECK(count <= end_ - begin_);
    begin_ += count;
  }

 private:
  std::string_view bytes_;
  std::size_t piece_, begin_ = 0, end_ = 0;
};

/// The value of a head's field, found in another way than the parser's.
std::optional<std::string> field(std::string_view head, std::string_view name) {
  std::string text(head);
  std::ranges::transform(text, text.begin(), lower);
  const std::size_t at = text.find("\r\n" + std::string(name) + ":");
  if (at == std::string::npos) return std::nullopt;
  const std::size_t begin = at + 2 + name.size() + 1;
  std::string value = text.substr(begin, text.find("\r\n", begin) - begin);
  value.erase(0, value.find_first_not_of(" \t"));
  value.erase(value.find_last_not_of(" \t") + 1);
  return value;
}

void check_lengths(std::string_view head, const RequestParser& parser) {
  const auto length = field(head, "content-length");
  std::uint64_t number = 0;
  if (length) std::from_chars(length->data(), length->data() + length->size(), number);
  CARILLON_CHECK(parser.content_length() == number);
  CARILLON_CHECK(parser.chunked() == (field(head, "transfer-encoding") == "chunked"));
}

void check_fields(std::string_view head, const HttpFields& fields) {
  std::string lowered;
  for (const std::string_view name : {"host", "content-length", "content-type", "x"}) {
    const auto value = fields.find(name);
    lowered.assign(value.value_or(""));
    std::ranges::transform(lowered, lowered.begin(), lower);
    CARILLON_CHECK(field(head, name) == (value ? std::optional(lowered) : std::nullopt));
  }
  const auto lines = std::count(head.begin(), head.end(), '\n');
  CARILLON_CHECK(std::ranges::distance(fields.begin(), fields.end()) + 2 == lines);
}

std::optional<std::string> read_head(Wire& wire) {
  std::size_t looked = 0;
  std::size_t size = 0;
  while ((size = find_head_end(wire.held(), looked)) == std::string_view::npos) {
    if (!check_partial_head(wire.held(), kLimits)) return std::nullopt;
    looked = wire.held().size();
    if (!wire.receive()) return std::nullopt;
  }
  std::string head(wire.held().substr(0, size));
  wire.consume(size);
  if (!check_head(head, kLimits)) return std::nullopt;
  return head;
}

bool read_body(Wire& wire, RequestParser& parser, std::string& body) {
  while (!parser.chunked() && wire.held().size() < parser.content_length()) {
    if (!wire.receive()) return false;
  }
  if (!parser.chunked()) {
    const auto length = static_cast<std::size_t>(parser.content_length());
    body = wire.held().substr(0, length);
    wire.consume(length);
    return true;
  }
  for (;;) {
    const auto progress = parser.feed(wire.held(), kBodyBytesMax);
    if (!progress) return false;
    wire.consume(progress->consumed);
    CARILLON_CHECK(body.size() <= kBodyBytesMax);
    if (progress->done) return true;
    if (!wire.receive()) return false;
  }
}

/// The requests up to the first that breaks the rules or is not whole.
std::vector<Taken> read_requests(std::string_view bytes, std::size_t piece) {
  std::vector<Taken> requests;
  Wire wire(bytes, piece);
  while (const auto head = read_head(wire)) {
    HttpRequest request;
    std::string body;
    RequestParser parser(body);
    if (!parser.parse_head(*head, request)) break;
    check_lengths(*head, parser);
    check_fields(*head, request.fields);
    static_cast<void>(parser.cross_origin());
    static_cast<void>(parser.follows_link());
    if (parser.content_length() > kBodyBytesMax || !read_body(wire, parser, body)) break;
    requests.push_back({std::string(request.method), std::string(request.path),
                        std::string(request.query), std::string(request.content_type),
                        std::string(request.authorization), body});
    if (!parser.keep_alive()) break;
  }
  return requests;
}

/// Sent again in chunks, each is taken for the same.
void check_chunked(const Taken& taken, std::size_t piece) {
  std::string wire = taken.method + " " + (taken.path.starts_with('/') ? "" : "http://h") +
                     taken.path + (taken.query.empty() ? "" : "?" + taken.query) +
                     " HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  char size[16];
  for (std::size_t at = 0; at < taken.body.size(); at += piece) {
    const std::string chunk = taken.body.substr(at, piece);
    const auto end = std::to_chars(size, size + sizeof size, chunk.size(), 16).ptr;
    wire.append(size, end).append("\r\n").append(chunk).append("\r\n");
  }
  wire += "0\r\n\r\n";
  const auto again = read_requests(wire, piece);
  CARILLON_CHECK(again.size() == 1 && again[0].body == taken.body);
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const carillon::fuzz::InPieces input(data, size);
  const auto whole = carillon::read_requests(input.bytes, input.bytes.size() + 1);
  // A method of dozens of letters is refused where it comes in pieces, and merely unknown else.
  const auto is_odd = [](const carillon::Taken& taken) { return taken.method.size() > 32; };
  if (std::ranges::any_of(whole, is_odd)) return 0;
  CARILLON_CHECK(carillon::read_requests(input.bytes, input.piece_bytes) == whole);
  for (const auto& taken : whole) {
    if (taken.path.size() + taken.query.size() < 200)
      carillon::check_chunked(taken, input.piece_bytes);
  }
  return 0;
}
