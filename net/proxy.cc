#include "net/proxy.h"

#include <algorithm>
#include <charconv>

#include <boost/asio/ip/address.hpp>

#include "net/address.h"
#include "net/base64.h"
#include "net/url.h"

namespace carillon {
namespace {

constexpr std::size_t kAnswerBytesMax = 16 * 1024;

Error bad(std::string detail) {
  return {.slug = "config", .detail = std::move(detail), .field = "egress.proxy"};
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

Result<std::optional<Proxy>> make_proxy(std::string_view text, std::string_view credentials) {
  if (text.empty()) return std::optional<Proxy>();
  if (text.find('@') != std::string_view::npos) {
    return bad("credentials go into egress.proxy_credentials_file or egress.proxy_credentials_env");
  }
  Result<Url> url = parse_url(text);
  if (!url) return bad(url.error().detail);
  if (url->tls) return bad("the proxy is spoken to over http: write http://host:port");
  if (url->path != "/") return bad("the URL of a proxy has no path: write http://host:port");
  Proxy proxy{.host = url->host,
              .lookup_name = url->lookup_name(),
              .port = url->port_number(),
              .authorization = {}};
  if (!credentials.empty()) {
    if (credentials.find(':') == std::string_view::npos ||
        std::ranges::any_of(credentials, is_control)) {
      return bad("the proxy's credentials are not user:password");
    }
    proxy.authorization = "Basic " + base64_encode(credentials);
  }
  return std::optional<Proxy>(std::move(proxy));
}

bool is_this_machine(std::string_view host) {
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  boost::system::error_code not_an_address;
  const auto address = boost::asio::ip::make_address(std::string(host), not_an_address);
  if (not_an_address) return false;
  if (address.is_loopback()) return true;
  return std::ranges::any_of(parts_of(address).v4,
                             [](const auto& one) { return one.is_loopback(); });
}

std::string connect_request(const Proxy& proxy, std::string_view authority) {
  std::string head = "CONNECT " + std::string(authority) + " HTTP/1.1\r\nHost: ";
  head.append(authority).append("\r\n");
  if (!proxy.authorization.empty()) {
    head.append("Proxy-Authorization: ").append(proxy.authorization).append("\r\n");
  }
  return head.append("\r\n");
}

TunnelAnswer read_tunnel_answer(std::string_view bytes) {
  using Progress = TunnelAnswer::Progress;
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() < kAnswerBytesMax) return {};
    return {Progress::refused, "the head of its answer is over 16 KiB"};
  }
  // "HTTP/1.1 200 ..."
  const std::string_view line = bytes.substr(0, bytes.find('\r'));
  const std::size_t space = std::min(line.find(' '), line.size());
  std::uint32_t status = 0;
  const char* const from = line.data() + std::min(space + 1, line.size());
  const auto [after, error] = std::from_chars(from, line.data() + line.size(), status);
  if (!line.starts_with("HTTP/1.") || error != std::errc() || after - from != 3) {
    return {Progress::refused, "its answer is not HTTP"};
  }
  if (status < 200 || status > 299) {
    return {Progress::refused, "it answered " + std::to_string(status)};
  }
  // The receiver speaks second: TLS begins with the client.
  if (end + 4 != bytes.size()) return {Progress::refused, "it sent more than its answer"};
  return {Progress::open, {}};
}

}  // namespace carillon
