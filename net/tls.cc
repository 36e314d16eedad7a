#include "net/tls.h"

#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace carillon {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

Error bad_file(std::string_view what, const std::string& file, const error_code& reason) {
  return {.slug = "config",
          .detail = "cannot use " + std::string(what) + " " + file + ": " + reason.message(),
          .field = {}};
}

void harden(ssl::context& context) {
  SSL_CTX* native = context.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Frees a connection's record buffers while it is idle, some 30 KiB.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
}

Result<> use_certificate(ssl::context& context, const std::string& certificate_file,
                         const std::string& private_key_file) {
  error_code error;
  context.use_certificate_chain_file(certificate_file, error);
  if (error) return bad_file("the certificate", certificate_file, error);
  context.use_private_key_file(private_key_file, ssl::context::pem, error);
  if (error) return bad_file("the private key", private_key_file, error);
  return {};
}

Result<> trust(ssl::context& context, const std::string& ca_file) {
  error_code error;
  if (ca_file.empty()) {
    context.set_default_verify_paths(error);
    if (error) return bad_file("the system's certificates of", "OpenSSL", error);
  } else {
    context.load_verify_file(ca_file, error);
    if (error) return bad_file("the CA file", ca_file, error);
  }
  return {};
}

}  // namespace

Result<TlsContext> make_server_tls(const ServerTls& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  harden(*context);
  if (Result<> ok = use_certificate(*context, files.certificate_file, files.private_key_file);
      !ok) {
    return ok.error();
  }
  if (!files.client_ca_file.empty()) {
    if (Result<> ok = trust(*context, files.client_ca_file); !ok) return ok.error();
    SSL_CTX_set_client_CA_list(context->native_handle(),
                               SSL_load_client_CA_file(files.client_ca_file.c_str()));
    context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
  }
  // OpenSSL refuses to resume sessions that were verified under no name of their own.
  static constexpr unsigned char kSessionContext[] = "carillon";
  SSL_CTX_set_session_id_context(context->native_handle(), kSessionContext,
                                 sizeof kSessionContext - 1);
  return context;
}

Result<TlsContext> make_client_tls(const ClientTls& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  harden(*context);
  if (!files.certificate_file.empty()) {
    if (Result<> ok = use_certificate(*context, files.certificate_file, files.private_key_file);
        !ok) {
      return ok.error();
    }
  }
  if (files.verify) {
    if (Result<> ok = trust(*context, files.ca_file); !ok) return ok.error();
  }
  context->set_verify_mode(files.verify ? ssl::verify_peer : ssl::verify_none);
  return context;
}

Result<> expect_tls_host(SSL* connection, const std::string& host) {
  error_code not_an_address;
  boost::asio::ip::make_address(host, not_an_address);
  const bool is_name = static_cast<bool>(not_an_address);
  const bool ok =
      is_name ? SSL_set_tlsext_host_name(connection, host.c_str()) == 1 &&
                    SSL_set1_host(connection, host.c_str()) == 1
              : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host.c_str()) == 1;
  if (!ok) {
    return Error{
        .slug = "network", .detail = "OpenSSL cannot expect the host " + host, .field = {}};
  }
  SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return {};
}

std::string tls_verify_failure(SSL* connection) {
  const long result = SSL_get_verify_result(connection);
  if (result == X509_V_OK || SSL_get_verify_mode(connection) == SSL_VERIFY_NONE) return {};
  return X509_verify_cert_error_string(result);
}

}  // namespace carillon
