#include "tests/support/rabbit_server.h"

#include "base/check.h"
#include "delivery/amqp/librabbitmq.h"
#include "tests/support/free_port.h"

namespace carillon::test {
namespace {

constexpr amqp_channel_t kChannel = 1;
/// Also where a test is killed and can end nothing any more.
const std::string kEndsWithUs = "setpriv --pdeathsig KILL ";

std::vector<std::string> shell_command(const std::string& line) {
  return {"/bin/sh", "-c", line};
}

amqp_bytes_t bytes_of(const std::string& text) {
  return {text.size(), const_cast<char*>(text.data())};
}

std::string text_of(amqp_bytes_t bytes) {
  return {static_cast<const char*>(bytes.bytes), bytes.len};
}

}  // namespace

/// Aborts where anything fails: it serves tests that need the server to work.
class RabbitServer::Client {
 public:
  explicit Client(int port) : connection_(amqp_new_connection()) {
    amqp_socket_t* const socket = amqp_tcp_socket_new(connection_);
    CARILLON_CHECK(socket != nullptr);
    CARILLON_CHECK(amqp_socket_open(socket, "127.0.0.1", port) == AMQP_STATUS_OK);
    const amqp_rpc_reply_t login =
        amqp_login(connection_, "/", 1, 131'072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest");
    CARILLON_CHECK(login.reply_type == AMQP_RESPONSE_NORMAL);
    amqp_channel_open(connection_, kChannel);
    check();
  }
  ~Client() { amqp_destroy_connection(connection_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  std::size_t declare(const std::string& queue, bool passive, amqp_table_t arguments) {
    const auto* const made = amqp_queue_declare(connection_, kChannel, bytes_of(queue),
                                                passive ? 1 : 0, 1, 0, 0, arguments);
    check();
    return made->message_count;
  }
  void declare_exchange(const std::string& exchange, const std::string& type) {
    amqp_exchange_declare(connection_, kChannel, bytes_of(exchange), bytes_of(type), 0, 1, 0, 0,
                          amqp_empty_table);
    check();
  }
  void bind(const std::string& queue, const std::string& exchange, const std::string& routing_key) {
    amqp_queue_bind(connection_, kChannel, bytes_of(queue), bytes_of(exchange),
                    bytes_of(routing_key), amqp_empty_table);
    check();
  }
  std::optional<RabbitMessage> get(const std::string& queue) {
    amqp_maybe_release_buffers(connection_);
    const amqp_rpc_reply_t got = amqp_basic_get(connection_, kChannel, bytes_of(queue), 1);
    CARILLON_CHECK(got.reply_type == AMQP_RESPONSE_NORMAL);
    if (got.reply.id == AMQP_BASIC_GET_EMPTY_METHOD) return std::nullopt;
    const auto& from = *static_cast<const amqp_basic_get_ok_t*>(got.reply.decoded);
    amqp_message_t message;
    CARILLON_CHECK(amqp_read_message(connection_, kChannel, &message, 0).reply_type ==
                   AMQP_RESPONSE_NORMAL);
    RabbitMessage out;
    out.exchange = text_of(from.exchange);
    out.routing_key = text_of(from.routing_key);
    out.body = text_of(message.body);
    out.message_id = text_of(message.properties.message_id);
    out.content_type = text_of(message.properties.content_type);
    out.app_id = text_of(message.properties.app_id);
    out.delivery_mode = message.properties.delivery_mode;
    const amqp_table_t& headers = message.properties.headers;
    for (int i = 0; i < headers.num_entries; ++i) {
      out.headers[text_of(headers.entries[i].key)] = text_of(headers.entries[i].value.value.bytes);
    }
    amqp_destroy_message(&message);
    return out;
  }

 private:
  void check() {
    CARILLON_CHECK(amqp_get_rpc_reply(connection_).reply_type == AMQP_RESPONSE_NORMAL);
  }

  amqp_connection_state_t connection_;
};

RabbitServer::RabbitServer(Options options) : options_(std::move(options)) {
  // Somebody else may be faster at a port that was free.
  constexpr int kTries = 5;
  bool is_started = false;
  for (int i = 0; i < kTries && !is_started; ++i) {
    port_ = free_port();
    tls_port_ = options_.tls ? free_port() : 0;
    mapper_port_ = free_port();
    nodes_port_ = free_port();
    is_started = try_to_start();
  }
  CARILLON_CHECK(is_started);
}

RabbitServer::~RabbitServer() = default;

void RabbitServer::start() {
  CARILLON_CHECK(try_to_start());
}

Process::Environment RabbitServer::environment() const {
  return {{"HOME", dir_.path().string()},
          {"ERL_EPMD_PORT", std::to_string(mapper_port_)},
          {"RABBITMQ_NODENAME", "carillon" + std::to_string(port_) + "@localhost"},
          {"RABBITMQ_DIST_PORT", std::to_string(nodes_port_)},
          {"RABBITMQ_MNESIA_BASE", dir_ / "data"},
          {"RABBITMQ_LOG_BASE", dir_ / "log"},
          {"RABBITMQ_LOGS", "-"},
          {"RABBITMQ_PID_FILE", dir_ / "pid"},
          {"RABBITMQ_ENABLED_PLUGINS_FILE", dir_ / "plugins"},
          {"RABBITMQ_CONFIG_FILE", dir_ / "rabbitmq.conf"},
          {"RABBITMQ_CONF_ENV_FILE", dir_ / "none"},
          // The script gives its place to the virtual machine, so that signals reach that.
          {"RUNNING_UNDER_SYSTEMD", "true"},
          {"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
           "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"}};
}

void RabbitServer::write_configuration() const {
  const std::string at = "127.0.0.1:";
  std::string config = "listeners.tcp.1 = " + at + std::to_string(port_) +
                       "\ndisk_free_limit.absolute = 1MB\nlog.console = true\nload_definitions = " +
                       dir_ / "definitions.json" + "\n";
  if (options_.tls) {
    config += "listeners.ssl.1 = " + at + std::to_string(tls_port_) +
              "\nssl_options.cacertfile = " + options_.tls->certificate +
              "\nssl_options.certfile = " + options_.tls->certificate +
              "\nssl_options.keyfile = " + options_.tls->private_key +
              "\nssl_options.verify = verify_none\n";
  }
  write_file(dir_ / "rabbitmq.conf", config);
  std::string users;
  std::string permissions;
  std::vector<User> all = options_.users;
  all.push_back({"guest", "guest"});
  for (const User& user : all) {
    const std::string comma = users.empty() ? "" : ",";
    users += comma + R"({"name":")" + user.name + R"(","password":")" + user.password +
             R"(","tags":"administrator"})";
    permissions += comma + R"({"user":")" + user.name +
                   R"(","vhost":"/","configure":".*","write":".*","read":".*"})";
  }
  write_file(dir_ / "definitions.json", R"({"vhosts":[{"name":"/"}],"users":[)" + users +
                                            R"(],"permissions":[)" + permissions + "]}");
}

bool RabbitServer::try_to_start() {
  write_configuration();
  if (!mapper_) {
    mapper_ = std::make_unique<Process>(shell_command("exec " + kEndsWithUs +
                                                      "/usr/bin/epmd -address 127.0.0.1 -port " +
                                                      std::to_string(mapper_port_)));
  }
  // Its log goes to standard output, and a Process is watched by its standard error.
  process_ = std::make_unique<Process>(
      shell_command("exec " + kEndsWithUs + "/usr/lib/rabbitmq/bin/rabbitmq-server >&2"),
      environment());
  if (process_->wait_for_line("Server startup complete", std::chrono::minutes(5))) return true;
  process_.reset();
  mapper_.reset();
  return false;
}

void RabbitServer::kill() {
  client_.reset();
  process_.reset();
}

std::string RabbitServer::url() const {
  return "amqp://127.0.0.1:" + std::to_string(port_);
}

RabbitServer::Client& RabbitServer::client() {
  if (!client_) client_ = std::make_unique<Client>(port_);
  return *client_;
}

void RabbitServer::make_queue(const std::string& queue, std::optional<int> overflow_at) {
  amqp_table_entry_t entries[2] = {};
  entries[0].key = amqp_cstring_bytes("x-max-length");
  entries[0].value.kind = AMQP_FIELD_KIND_I32;
  entries[0].value.value.i32 = overflow_at.value_or(0);
  entries[1].key = amqp_cstring_bytes("x-overflow");
  entries[1].value.kind = AMQP_FIELD_KIND_UTF8;
  entries[1].value.value.bytes = amqp_cstring_bytes("reject-publish");
  client().declare(queue, false, overflow_at ? amqp_table_t{2, entries} : amqp_empty_table);
}

void RabbitServer::make_exchange(const std::string& exchange, const std::string& type) {
  client().declare_exchange(exchange, type);
}

void RabbitServer::bind(const std::string& queue, const std::string& exchange,
                        const std::string& routing_key) {
  client().bind(queue, exchange, routing_key);
}

std::size_t RabbitServer::length(const std::string& queue) {
  return client().declare(queue, true, amqp_empty_table);
}

std::vector<RabbitMessage> RabbitServer::take(const std::string& queue) {
  std::vector<RabbitMessage> all;
  while (std::optional<RabbitMessage> message = client().get(queue)) {
    all.push_back(*std::move(message));
  }
  return all;
}

void RabbitServer::control(const std::vector<std::string>& words) {
  std::vector<std::string> command = {"/usr/lib/rabbitmq/bin/rabbitmqctl", "-q"};
  command.insert(command.end(), words.begin(), words.end());
  const Finished finished =
      run_program(std::move(command), environment(), {}, std::chrono::minutes(5));
  CARILLON_CHECK(finished.ending == (Ending{.code = 0}));
}

void RabbitServer::sync_queues() {
  control({"eval", "mnesia:sync_log()."});
}

void RabbitServer::set_memory_alarm(bool on) {
  control({"set_vm_memory_high_watermark", on ? "0" : "0.4"});
}

}  // namespace carillon::test
