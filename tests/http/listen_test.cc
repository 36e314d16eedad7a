// Where the server listens, and what it leaves alone.
#include <filesystem>

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/bind.h"
#include "tests/http/thing_server.h"
#include "tests/support/temp_dir.h"

namespace carillon::test {
namespace {

namespace fs = std::filesystem;
using boost::asio::ip::tcp;
using testing::HasSubstr;

class UnixListen : public testing::Test {
 protected:
  [[nodiscard]] ThingSetup setup() const {
    ThingSetup setup;
    setup.listen = {.unix_path = path_};
    return setup;
  }
  std::string refusal() {
    const auto bound = bind_all(loop_, {.unix_path = path_});
    EXPECT_FALSE(bound) << "it took the place of what was there";
    if (bound) return {};
    EXPECT_EQ(bound.error().slug, "config");
    EXPECT_THAT(bound.error().detail, HasSubstr(path_));
    return bound.error().detail;
  }
  /// A socket of `type` bound to the path; its file stays when it is closed.
  int bind_socket(int type) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    const int made = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return made;
  }
  [[nodiscard]] mode_t mode() const {
    struct stat status{};
    EXPECT_EQ(::lstat(path_.c_str(), &status), 0);
    return status.st_mode & 0777U;
  }

  TempDir dir_;
  const std::string path_ = dir_ / "socket";
  boost::asio::io_context loop_;
};

TEST_F(UnixListen, ServesAndLeavesNothingBehind) {
  {
    const ThingServer server(setup());
    EXPECT_EQ(server.url(), "unix:" + path_);
    HttpClient client(server.url());
    EXPECT_EQ(client.post("/things", thing("unix")).status, 201);
    EXPECT_EQ(client.get("/things/unix").status, 200);
  }
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(UnixListen, TakesThePlaceOfASocketThatNobodyListensOn) {
  ::close(bind_socket(SOCK_STREAM));
  ASSERT_TRUE(fs::is_socket(path_));
  const ThingServer server(setup());
  EXPECT_EQ(HttpClient(server.url()).get("/health").status, 200);
}

TEST_F(UnixListen, LeavesASocketThatIsInUse) {
  const int other = bind_socket(SOCK_STREAM);
  ASSERT_EQ(::listen(other, 0), 0);
  EXPECT_THAT(refusal(), HasSubstr("another program listens there"));
  // The same where its queue is full, of those who asked before.
  EXPECT_THAT(refusal(), HasSubstr("another program listens there"));
  ::close(other);
}

TEST_F(UnixListen, LeavesASocketOfAnotherType) {
  const int other = bind_socket(SOCK_DGRAM);
  refusal();
  EXPECT_TRUE(fs::is_socket(path_));
  ::close(other);
}

TEST_F(UnixListen, LeavesEverythingElseAndNamesItsKind) {
  write_file(path_, "mine");
  EXPECT_THAT(refusal(), HasSubstr("a regular file"));
  EXPECT_EQ(read_whole_file(path_), "mine");
  fs::remove(path_);

  fs::create_directory(path_);
  EXPECT_THAT(refusal(), HasSubstr("a directory"));
  EXPECT_TRUE(fs::is_directory(path_));
  fs::remove(path_);

  fs::create_symlink("elsewhere", path_);
  EXPECT_THAT(refusal(), HasSubstr("a symbolic link"));
  EXPECT_TRUE(fs::is_symlink(path_));
  fs::remove(path_);

  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(refusal(), HasSubstr("a named pipe"));
  EXPECT_TRUE(fs::is_fifo(path_));
}

TEST_F(UnixListen, SaysWhatTheSystemSays) {
  boost::asio::io_context loop;
  const auto bound = bind_all(loop, {.unix_path = dir_ / "no/such/directory"});
  ASSERT_FALSE(bound);
  EXPECT_THAT(bound.error().detail, HasSubstr("No such file or directory"));
}

TEST_F(UnixListen, DoesNotRemoveWhatAnotherProgramPutThere) {
  auto bound = bind_all(loop_, {.unix_path = path_});
  ASSERT_TRUE(bound);
  fs::remove(path_);
  write_file(path_, "another's");
  bound->clear();
  EXPECT_EQ(read_whole_file(path_), "another's");
}

TEST_F(UnixListen, GivesTheSocketItsModeAndGroup) {
  {
    const auto bound = bind_all(loop_, {.unix_path = path_});
    ASSERT_TRUE(bound);
    EXPECT_EQ(mode(), 0700U);
  }
  const auto bound = bind_all(
      loop_, {.unix_path = path_, .unix_mode = 0660, .unix_group = std::to_string(::getegid())});
  ASSERT_TRUE(bound) << bound.error().detail;
  EXPECT_EQ(mode(), 0660U);
}

TEST_F(UnixListen, RefusesAGroupThatDoesNotExist) {
  const auto bound = bind_all(loop_, {.unix_path = path_, .unix_group = "no such group"});
  ASSERT_FALSE(bound);
  EXPECT_THAT(bound.error().detail, HasSubstr("there is no group \"no such group\""));
  EXPECT_FALSE(fs::exists(path_));
}

tcp::endpoint at(const char* address, std::uint16_t port = 0) {
  return {boost::asio::ip::make_address(address), port};
}

TEST(TcpListen, TakesEveryAddressOfANameWithOnePort) {
  boost::asio::io_context loop;
  const auto bound = bind_endpoints(loop, "name:0", {at("127.0.0.1"), at("127.0.0.2")});
  ASSERT_TRUE(bound) << bound.error().detail;
  ASSERT_EQ(bound->size(), 2U);
  EXPECT_EQ(bound->at(0).endpoint->address().to_string(), "127.0.0.1");
  EXPECT_EQ(bound->at(1).endpoint->address().to_string(), "127.0.0.2");
  EXPECT_NE(bound->at(0).endpoint->port(), 0);
  EXPECT_EQ(bound->at(0).endpoint->port(), bound->at(1).endpoint->port());
}

TEST(TcpListen, LeavesOutAddressesOfANameThatTheMachineDoesNotHave) {
  boost::asio::io_context loop;
  const auto bound = bind_endpoints(loop, "name:0", {at("240.0.0.1"), at("127.0.0.1")});
  ASSERT_TRUE(bound) << bound.error().detail;
  ASSERT_EQ(bound->size(), 1U);
  EXPECT_EQ(bound->front().endpoint->address().to_string(), "127.0.0.1");
  EXPECT_FALSE(bind_endpoints(loop, "name:0", {at("240.0.0.1"), at("240.0.0.2")}));
  EXPECT_FALSE(bind_endpoints(loop, "240.0.0.1:0", {at("240.0.0.1")}));
}

TEST(TcpListen, FailsWhereOneAddressOfANameIsInUse) {
  boost::asio::io_context loop;
  const auto first = bind_endpoints(loop, "name:0", {at("127.0.0.2")});
  ASSERT_TRUE(first);
  const std::uint16_t port = first->front().endpoint->port();
  const auto second = bind_endpoints(loop, "name", {at("127.0.0.1", port), at("127.0.0.2", port)});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().detail, HasSubstr("127.0.0.2"));
}

TEST(TcpListen, RefusesAddressesThatOthersReachWhereItMustNot) {
  boost::asio::io_context loop;
  for (const char* host : {"0.0.0.0", "::"}) {
    const auto bound = bind_all(loop, {.host = host, .loopback_only = true});
    ASSERT_FALSE(bound) << host;
    EXPECT_THAT(bound.error().detail, HasSubstr("no token is set"));
  }
  EXPECT_TRUE(bind_all(loop, {.host = "127.0.0.1", .loopback_only = true}));
}

TEST(TcpListen, NamesTheAddressThatIsInUse) {
  boost::asio::io_context loop;
  const auto first = bind_all(loop, {.host = "127.0.0.1"});
  ASSERT_TRUE(first);
  const std::uint16_t port = first->front().endpoint->port();
  const auto second = bind_all(loop, {.host = "127.0.0.1", .port = port});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().detail, HasSubstr("127.0.0.1:" + std::to_string(port)));
}

}  // namespace
}  // namespace carillon::test
