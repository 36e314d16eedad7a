#include "net/tls.h"

#include <cstdlib>

#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

namespace carillon {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

constexpr std::int64_t kFileBytesMax = std::int64_t{8} << 20;
// All that TLS 1.2 has left; TLS 1.3 knows no others.
constexpr const char* kTls12Suites =
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:!aNULL:!PSK";

Error bad_file(std::string_view field, const std::string& file, const std::string& reason) {
  return {.slug = "config",
          .detail = std::string(field) + " " + file + " cannot be used: " + reason,
          .field = std::string(field)};
}

/// A pipe or a device would keep whoever reads it waiting, or never end.
Result<> check_file(std::string_view field, const std::string& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) {
    return bad_file(field, file, error_code(errno, boost::system::system_category()).message());
  }
  if (!S_ISREG(status.st_mode)) return bad_file(field, file, "it is not a regular file");
  if (status.st_size > kFileBytesMax) return bad_file(field, file, "it is larger than 8 MiB");
  return {};
}

void harden(ssl::context& context) {
  SSL_CTX* native = context.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(native, kTls12Suites);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Frees a connection's record buffers while it is idle, some 30 KiB.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  // Without it OpenSSL asks at the terminal for the password of an encrypted key, and waits.
  context.set_password_callback(
      [](std::size_t, ssl::context::password_purpose) { return std::string(); });
}

Result<> use_certificate(ssl::context& context, const std::string& certificate_file,
                         const std::string& private_key_file) {
  error_code error;
  if (Result<> ok = check_file("certificate_file", certificate_file); !ok) return ok;
  context.use_certificate_chain_file(certificate_file, error);
  if (error) return bad_file("certificate_file", certificate_file, error.message());
  if (Result<> ok = check_file("private_key_file", private_key_file); !ok) return ok;
  context.use_private_key_file(private_key_file, ssl::context::pem, error);
  if (error) return bad_file("private_key_file", private_key_file, error.message());
  return {};
}

Result<> trust(ssl::context& context, std::string_view field, const std::string& ca_file) {
  error_code error;
  if (ca_file.empty()) {
    context.set_default_verify_paths(error);
    if (error) return bad_file("ca_file", "of the system", error.message());
    return {};
  }
  if (Result<> ok = check_file(field, ca_file); !ok) return ok;
  context.load_verify_file(ca_file, error);
  if (error) return bad_file(field, ca_file, error.message());
  return {};
}

/// What changes with each change of the file; empty where there is none.
std::string stamp_of(const std::string& file) {
  struct stat now{};
  if (::stat(file.c_str(), &now) != 0) return {};
  std::string stamp;
  for (const std::int64_t part :
       {std::int64_t(now.st_dev), std::int64_t(now.st_ino), std::int64_t(now.st_size),
        std::int64_t(now.st_mtim.tv_sec), std::int64_t(now.st_mtim.tv_nsec),
        std::int64_t(now.st_ctim.tv_sec), std::int64_t(now.st_ctim.tv_nsec)}) {
    stamp += std::to_string(part) + ' ';
  }
  return stamp;
}

std::string system_ca_file() {
  const char* named = std::getenv(X509_get_default_cert_file_env());
  return named != nullptr ? named : X509_get_default_cert_file();
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
    if (Result<> ok = trust(*context, "client_ca_file", files.client_ca_file); !ok)
      return ok.error();
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
  if (files.verify || !files.ca_file.empty()) {
    if (Result<> ok = trust(*context, "ca_file", files.ca_file); !ok) return ok.error();
  }
  context->set_verify_mode(files.verify ? ssl::verify_peer : ssl::verify_none);
  return context;
}

WatchedTls::Files WatchedTls::files_of(const ServerTls& files) {
  return {.make = [files] { return make_server_tls(files); },
          .paths = {files.certificate_file, files.private_key_file, files.client_ca_file}};
}

WatchedTls::Files WatchedTls::files_of(const ClientTls& files) {
  return {.make = [files] { return make_client_tls(files); },
          .paths = {files.ca_file.empty() ? system_ca_file() : files.ca_file,
                    files.certificate_file, files.private_key_file}};
}

WatchedTls::WatchedTls(const ServerTls& files) : its_(files_of(files)) {}

WatchedTls::WatchedTls(const ClientTls& files) : its_(files_of(files)) {}

/// Reads the files where they are new or one has changed.
void WatchedTls::look(Files& files) {
  std::vector<std::string> stamps;
  for (const std::string& path : files.paths) stamps.push_back(stamp_of(path));
  if (stamps == files.stamps) return;
  files.stamps = std::move(stamps);
  Result<TlsContext> made = files.make();
  files.trouble = made ? Error() : made.error();
  if (made) files.context = *made;
}

Result<TlsContext> WatchedTls::context() {
  const std::lock_guard lock(mutex_);
  look(its_);
  if (!its_.context) return its_.trouble;
  return its_.context;
}

Result<> WatchedTls::replace(const ServerTls& files) {
  Files fresh = files_of(files);
  look(fresh);
  if (!fresh.context) return fresh.trouble;
  const std::lock_guard lock(mutex_);
  its_ = std::move(fresh);
  return {};
}

std::string WatchedTls::trouble() const {
  const std::lock_guard lock(mutex_);
  return its_.trouble.detail;
}

Result<TlsContext> ClientTlsContexts::context(const ClientTls& files) {
  auto found = contexts_.find(files);
  if (found == contexts_.end()) {
    // Those that connections have live on with them.
    if (contexts_.size() >= kContextsMax) contexts_.clear();
    found = contexts_.try_emplace(files, files).first;
  }
  return found->second.context();
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
