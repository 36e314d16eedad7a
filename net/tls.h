// TLS contexts for listening and for pushing, from files in PEM form.
//
// TLS 1.2 and up; the cipher list is OpenSSL's own. A context is read once: to pick up renewed
// files make a new one, and use it for new connections.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include "base/result.h"

namespace carillon {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

struct ServerTls {
  std::string certificate_file;  // the certificate, then those that signed it
  std::string private_key_file;
  std::string client_ca_file;  // set: a client must show a certificate signed by one of these
};
/// Error slug `config`: names the file at fault and OpenSSL's reason.
[[nodiscard]] Result<TlsContext> make_server_tls(const ServerTls& files);

struct ClientTls {
  bool verify = true;
  std::string ca_file;           // empty: the system's
  std::string certificate_file;  // client certificate, with private_key_file; empty: none
  std::string private_key_file;
};
/// Error slug `config`: names the file at fault and OpenSSL's reason.
[[nodiscard]] Result<TlsContext> make_client_tls(const ClientTls& files);

/// Prepares one outgoing connection, before its handshake: server name indication, and, where the
/// context verifies, that the certificate is for `host` (a DNS name or an IP address).
[[nodiscard]] Result<> expect_tls_host(SSL* connection, const std::string& host);

/// Why the peer's certificate was refused, for a person; empty where it was not.
[[nodiscard]] std::string tls_verify_failure(SSL* connection);

}  // namespace carillon
