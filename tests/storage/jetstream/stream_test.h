// The fixtures of tests over real servers of NATS: some of them for all the tests of a program, and
// for each test a stream of its own, on all of them.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/storage/jetstream/nats_servers.h"
#include "tests/storage/jetstream/node.h"

namespace carillon {

template <int kServers>
class StreamTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { servers_ = std::make_unique<test::NatsServers>(kServers); }
  static void TearDownTestSuite() { servers_.reset(); }

  void SetUp() override {
    stream_ =
        servers_->make_stream(::testing::UnitTest::GetInstance()->current_test_info()->name());
  }
  [[nodiscard]] NodeOptions options(const std::string& node) const {
    return {.servers = servers_->urls(), .stream = stream_, .dir = temp_ / node};
  }

  static inline std::unique_ptr<test::NatsServers> servers_;
  static inline StreamName stream_;
  TempDir temp_;
};

/// Of tests that kill servers.
class ThreeServers : public StreamTest<3> {
 protected:
  [[nodiscard]] static bool has_leader() {
    return test::eventually([] { return servers_->leader_of(stream_) >= 0; });
  }
};

}  // namespace carillon
