#include "tests/support/redis_server.h"

#include <algorithm>

#include <hiredis/hiredis.h>

#include "base/check.h"
#include "tests/support/free_port.h"

namespace carillon::test {
namespace {

std::string text_of(const redisReply& reply) {
  if (reply.type == REDIS_REPLY_INTEGER) return std::to_string(reply.integer);
  return reply.str == nullptr ? std::string() : std::string(reply.str, reply.len);
}

}  // namespace

std::string field_of(const RedisEntry& entry, const std::string& name) {
  const auto found = std::ranges::find(entry, name, [](const auto& field) { return field.first; });
  return found == entry.end() ? std::string() : found->second;
}

class RedisServer::Client {
 public:
  struct Free {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
  };
  using Reply = std::unique_ptr<redisReply, Free>;

  explicit Client(int port) : context_(redisConnect("127.0.0.1", port)) {
    CARILLON_CHECK(context_ != nullptr && context_->err == 0);
  }
  ~Client() { redisFree(context_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Reply ask(const std::vector<std::string>& words) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
      texts.push_back(word.data());
      sizes.push_back(word.size());
    }
    Reply reply(static_cast<redisReply*>(
        redisCommandArgv(context_, static_cast<int>(words.size()), texts.data(), sizes.data())));
    CARILLON_CHECK(reply != nullptr);
    return reply;
  }

 private:
  redisContext* context_;
};

RedisServer::RedisServer(std::vector<std::string> arguments, std::optional<Tls> tls)
    : arguments_(std::move(arguments)), tls_(std::move(tls)) {
  // Somebody else may be faster at a port that was free.
  constexpr int kTries = 10;
  bool is_started = false;
  for (int i = 0; i < kTries && !is_started; ++i) {
    port_ = free_port();
    tls_port_ = tls_ ? free_port() : 0;
    is_started = try_to_start();
  }
  CARILLON_CHECK(is_started);
}

RedisServer::~RedisServer() = default;

void RedisServer::start() {
  CARILLON_CHECK(try_to_start());
}

bool RedisServer::try_to_start() {
  std::vector<std::string> command = {"/usr/bin/redis-server",
                                      "--port",
                                      std::to_string(port_),
                                      "--bind",
                                      "127.0.0.1",
                                      "--dir",
                                      dir_.path().string(),
                                      "--save",
                                      "",
                                      "--appendonly",
                                      "yes",
                                      "--appendfsync",
                                      "always",
                                      "--logfile",
                                      "/dev/stderr",
                                      "--enable-debug-command",
                                      "yes"};
  if (tls_) {
    command.insert(command.end(),
                   {"--tls-port", std::to_string(tls_port_), "--tls-cert-file", tls_->certificate,
                    "--tls-key-file", tls_->private_key, "--tls-ca-cert-file", tls_->certificate,
                    "--tls-auth-clients", "no"});
  }
  command.insert(command.end(), arguments_.begin(), arguments_.end());
  process_ = std::make_unique<Process>(std::move(command));
  return process_->wait_for_line("Ready to accept connections").has_value();
}

void RedisServer::kill() {
  client_.reset();
  process_.reset();
}

std::string RedisServer::url() const {
  return "redis://127.0.0.1:" + std::to_string(port_);
}

RedisServer::Client& RedisServer::client() {
  if (!client_) client_ = std::make_unique<Client>(port_);
  return *client_;
}

std::string RedisServer::ask(const std::vector<std::string>& words) {
  return text_of(*client().ask(words));
}

std::vector<RedisEntry> RedisServer::entries(const std::string& stream) {
  const Client::Reply reply = client().ask({"XRANGE", stream, "-", "+"});
  std::vector<RedisEntry> all;
  for (std::size_t i = 0; i < reply->elements; ++i) {
    const redisReply& fields = *reply->element[i]->element[1];
    RedisEntry entry;
    for (std::size_t j = 0; j + 1 < fields.elements; j += 2) {
      entry.emplace_back(text_of(*fields.element[j]), text_of(*fields.element[j + 1]));
    }
    all.push_back(std::move(entry));
  }
  return all;
}

}  // namespace carillon::test
