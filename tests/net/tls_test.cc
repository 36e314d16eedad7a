#include "net/tls.h"

#include <gtest/gtest.h>

#include "tests/net/certificate.h"

namespace carillon {
namespace {

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
      {make_client_tls({true, "", one.certificate, two.private_key}), two.private_key},
  };
  for (const auto& [context, file] : table) {
    ASSERT_FALSE(context) << file;
    EXPECT_EQ(context.error().slug, "config");
    EXPECT_NE(context.error().detail.find(file), std::string::npos) << context.error().detail;
  }
}

}  // namespace
}  // namespace carillon
