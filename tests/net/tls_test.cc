#include "net/tls.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "tests/net/certificate.h"

namespace carillon {
namespace {

/// A file with the private key of `files` under a password.
std::string encrypted_copy(const test::TempDir& dir, const CertificateFiles& files) {
  const auto open = [](const std::string& path, const char* mode) {
    return std::unique_ptr<std::FILE, int (*)(std::FILE*)>(std::fopen(path.c_str(), mode),
                                                           std::fclose);
  };
  std::string path = dir / "encrypted.key";
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(
      PEM_read_PrivateKey(open(files.private_key, "r").get(), nullptr, nullptr, nullptr),
      EVP_PKEY_free);
  static const unsigned char kPassword[] = "secret";
  EXPECT_EQ(PEM_write_PrivateKey(open(path, "w").get(), key.get(), EVP_aes_128_cbc(), kPassword, 6,
                                 nullptr, nullptr),
            1);
  return path;
}

TEST(Tls, ContextsAreMadeFromGoodFiles) {
  const test::TempDir dir;
  const CertificateFiles files = make_certificate(dir, "good");
  const Result<TlsContext> server = make_server_tls({.certificate_file = files.certificate,
                                                     .private_key_file = files.private_key,
                                                     .client_ca_file = files.certificate});
  ASSERT_TRUE(server) << server.error().detail;
  EXPECT_EQ(SSL_CTX_get_min_proto_version((*server)->native_handle()), TLS1_2_VERSION);
  EXPECT_TRUE(SSL_CTX_get_verify_mode((*server)->native_handle()) &
              SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
  const Result<TlsContext> client = make_client_tls({.verify = true,
                                                     .ca_file = files.certificate,
                                                     .certificate_file = files.certificate,
                                                     .private_key_file = files.private_key});
  ASSERT_TRUE(client) << client.error().detail;
  EXPECT_EQ(SSL_CTX_get_verify_mode((*client)->native_handle()), SSL_VERIFY_PEER);
}

TEST(Tls, AnErrorNamesTheFileAtFault) {
  const test::TempDir dir;
  const CertificateFiles one = make_certificate(dir, "one");
  const CertificateFiles two = make_certificate(dir, "two");
  const std::string junk = dir / "junk.pem";
  test::write_file(junk, "junk");
  const std::string missing = dir / "missing.pem";
  const std::pair<Result<TlsContext>, std::string> table[] = {
      {make_server_tls({missing, one.private_key, ""}), missing},
      {make_server_tls({junk, one.private_key, ""}), junk},
      {make_server_tls({one.certificate, missing, ""}), missing},
      {make_server_tls({one.certificate, two.private_key, ""}), two.private_key},
      {make_server_tls({one.certificate, one.private_key, junk}), junk},
      {make_client_tls({true, missing, "", ""}), missing},
      {make_client_tls({false, junk, "", ""}), junk},
      {make_client_tls({true, "", one.certificate, two.private_key}), two.private_key},
  };
  for (const auto& [context, file] : table) {
    ASSERT_FALSE(context) << file;
    EXPECT_EQ(context.error().slug, "config");
    EXPECT_NE(context.error().detail.find(file), std::string::npos) << context.error().detail;
  }
}

TEST(Tls, AFileThatCannotBeReadAtOnceIsRefused) {
  const test::TempDir dir;
  const CertificateFiles files = make_certificate(dir, "one");
  const std::string pipe = dir / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const Result<TlsContext> from_pipe = make_client_tls({.verify = true, .ca_file = pipe});
  ASSERT_FALSE(from_pipe);
  EXPECT_EQ(from_pipe.error().detail,
            "ca_file " + pipe + " cannot be used: it is not a regular file");
  EXPECT_EQ(from_pipe.error().field, "ca_file");
  EXPECT_FALSE(make_client_tls({.verify = false, .ca_file = pipe}));
  // OpenSSL would ask at the terminal for its password.
  const Result<TlsContext> encrypted = make_client_tls(
      {.certificate_file = files.certificate, .private_key_file = encrypted_copy(dir, files)});
  ASSERT_FALSE(encrypted);
  EXPECT_EQ(encrypted.error().field, "private_key_file");
}

/// The names of the suites that `context` offers.
std::vector<std::string> suites_of(const TlsContext& context) {
  std::vector<std::string> names;
  const STACK_OF(SSL_CIPHER)* all = SSL_CTX_get_ciphers(context->native_handle());
  for (int i = 0; i < sk_SSL_CIPHER_num(all); ++i) {
    const SSL_CIPHER* one = sk_SSL_CIPHER_value(all, i);
    const int exchange = SSL_CIPHER_get_kx_nid(one);
    EXPECT_TRUE(SSL_CIPHER_is_aead(one)) << SSL_CIPHER_get_name(one);
    EXPECT_TRUE(exchange == NID_kx_any || exchange == NID_kx_ecdhe || exchange == NID_kx_dhe)
        << SSL_CIPHER_get_name(one);
    EXPECT_NE(SSL_CIPHER_get_auth_nid(one), NID_auth_null) << SSL_CIPHER_get_name(one);
    names.emplace_back(SSL_CIPHER_get_name(one));
  }
  return names;
}

TEST(Tls, OnlySuitesThatAreAuthenticatedAndForwardSecretAreOffered) {
  const test::TempDir dir;
  const CertificateFiles files = make_certificate(dir, "one");
  for (const TlsContext& context :
       {*make_server_tls({files.certificate, files.private_key, ""}), *make_client_tls({})}) {
    const auto suites = suites_of(context);
    EXPECT_EQ(std::ranges::count(suites, "ECDHE-ECDSA-AES128-GCM-SHA256"), 1);
    EXPECT_EQ(std::ranges::count(suites, "TLS_AES_128_GCM_SHA256"), 1);
  }
}

/// Overwrites in place.
void copy_over(const std::string& from, const std::string& to) {
  test::write_file(to, test::read_whole_file(from));
}

TEST(WatchedTls, AChangedFileIsTakenForTheNextConnection) {
  const test::TempDir dir;
  const CertificateFiles files = make_certificate(dir, "one");
  const CertificateFiles other =
      make_certificate(dir, "two", {.subject_alt_name = "DNS:another.name.of.other.length"});
  WatchedTls watched(ServerTls{files.certificate, files.private_key, ""});
  const TlsContext first = *watched.context();
  EXPECT_EQ(*watched.context(), first);

  copy_over(other.certificate, files.certificate);
  // The certificate does not fit the key that is still the old one.
  EXPECT_EQ(*watched.context(), first);
  EXPECT_NE(watched.trouble().find(files.private_key), std::string::npos) << watched.trouble();

  test::write_file(files.private_key, test::read_whole_file(other.private_key) + "\n");
  const TlsContext second = *watched.context();
  EXPECT_NE(second, first);
  EXPECT_EQ(watched.trouble(), "");
  EXPECT_EQ(*watched.context(), second);
}

TEST(WatchedTls, FilesThatWereNeverGoodAreTakenOnceTheyAre) {
  const test::TempDir dir;
  const CertificateFiles other = make_certificate(dir, "two");
  const std::string late = dir / "late.pem";
  WatchedTls watched(ClientTls{.verify = true, .ca_file = late});
  EXPECT_FALSE(watched.context());
  EXPECT_FALSE(watched.context());
  copy_over(other.certificate, late);
  EXPECT_TRUE(watched.context());
}

TEST(ClientTlsContexts, TheSameSettingsShareAContextAndOthersNeverDo) {
  const test::TempDir dir;
  const CertificateFiles a = make_certificate(dir, "a");
  const CertificateFiles b = make_certificate(dir, "b");
  std::filesystem::copy_file(a.certificate, dir / "a2.pem");
  std::filesystem::copy_file(a.private_key, dir / "a2.key");
  const ClientTls base{true, a.certificate, a.certificate, a.private_key};
  ClientTlsContexts contexts;
  const TlsContext one = *contexts.context(base);
  EXPECT_EQ(*contexts.context(base), one);
  for (const ClientTls& other : {ClientTls{false, a.certificate, a.certificate, a.private_key},
                                 ClientTls{true, b.certificate, a.certificate, a.private_key},
                                 ClientTls{true, a.certificate, dir / "a2.pem", a.private_key},
                                 ClientTls{true, a.certificate, a.certificate, dir / "a2.key"}}) {
    EXPECT_NE(*contexts.context(other), one);
  }
}

}  // namespace
}  // namespace carillon
