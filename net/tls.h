// TLS contexts for listening and for pushing, from files in PEM form.
//
// Operation: TLS 1.3, and 1.2 with suites that encrypt and authenticate in one (AEAD) and are
// forward secret. A context is made of its files once; `WatchedTls` makes a new one when they
// changed, for the next connection. Connections that are open keep what they began with.
//
// Limitations: a file is read at once, on the caller's thread. So it must be a regular file of at
// most 8 MiB, and a private key must not be encrypted.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <boost/asio/ssl/context.hpp>

#include "base/result.h"

namespace carillon {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

struct ServerTls {
  std::string certificate_file;  // the certificate, then those that signed it
  std::string private_key_file;
  std::string client_ca_file;  // set: a client must show a certificate signed by one of these
};
/// Error slug `config`: names the file at fault and the reason; `field` is the member's name.
[[nodiscard]] Result<TlsContext> make_server_tls(const ServerTls& files);

struct ClientTls {
  bool verify = true;
  std::string ca_file{};           // empty: the system's
  std::string certificate_file{};  // client certificate, with private_key_file; empty: none
  std::string private_key_file{};
  friend auto operator<=>(const ClientTls&, const ClientTls&) = default;
};
/// The same errors. `ca_file` is read also where nothing is verified.
[[nodiscard]] Result<TlsContext> make_client_tls(const ClientTls& files);

/// A context that follows its files: they are looked at for each new connection, and read again
/// when one changed. Any thread.
class WatchedTls {
 public:
  explicit WatchedTls(const ServerTls& files);
  explicit WatchedTls(const ClientTls& files);

  /// Follows these from now on. Where they cannot be used, it goes on with those before; the error
  /// is as of make_server_tls.
  [[nodiscard]] Result<> replace(const ServerTls& files);

  /// The context for a new connection. What was made last stays in use while the files cannot be
  /// used, as in the moment between a renewed certificate and its key; `trouble` then says why.
  /// Error: as of make_server_tls and make_client_tls, where there is none yet.
  [[nodiscard]] Result<TlsContext> context();
  /// Why the files as they were last read cannot be used; empty: they can.
  [[nodiscard]] std::string trouble() const;

 private:
  struct Files {
    std::function<Result<TlsContext>()> make;
    std::vector<std::string> paths;
    std::vector<std::string> stamps{};  // when they were last read
    TlsContext context{};
    Error trouble{};
  };
  [[nodiscard]] static Files files_of(const ServerTls& files);
  [[nodiscard]] static Files files_of(const ClientTls& files);
  static void look(Files& files);

  mutable std::mutex mutex_;
  Files its_;
};

/// One context for all connections that push with the same settings: each holds a copy of the
/// certificates that it trusts, some 500 KiB where those are the system's.
class ClientTlsContexts {
 public:
  /// As WatchedTls::context.
  [[nodiscard]] Result<TlsContext> context(const ClientTls& files);
  /// Makes new connections read their files, whether or not they changed.
  void forget() { contexts_.clear(); }

 private:
  static constexpr std::size_t kContextsMax = 256;
  std::map<ClientTls, WatchedTls> contexts_;
};

/// Prepares one outgoing connection, before its handshake: server name indication, and, where the
/// context verifies, that the certificate is for `host` (a DNS name or an IP address).
[[nodiscard]] Result<> expect_tls_host(SSL* connection, const std::string& host);

/// Why the peer's certificate was refused, for a person; empty where it was not.
[[nodiscard]] std::string tls_verify_failure(SSL* connection);

}  // namespace carillon
