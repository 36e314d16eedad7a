#include "server/settings.h"

namespace carillon {
namespace {

constexpr std::int64_t kKib = 1 << 10;
constexpr std::int64_t kMib = 1 << 20;
constexpr std::int64_t kGib = 1 << 30;
constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

// clang-format off
constexpr Setting kSettings[] = {
    {.key = "listen", .flag = "--listen",
     .place = [](Options& o) -> std::vector<std::string>& { return o.listen; },
     .help = "where to serve the API: HOST:PORT, [IPv6]:PORT or unix:PATH; port 0 takes a free one"},
    {.key = "probe_listen", .flag = {},
     .place = [](Options& o) -> std::vector<std::string>& { return o.probe_listen; },
     .help = "where to serve `/healthz`, `/readyz` and `/metrics` and nothing else, without TLS and "
             "without a token; the forms of `listen`"},
    {.key = "listen_mode", .flag = {},
     .place = [](Options& o) -> std::string& { return o.listen_mode; },
     .help = "permissions of unix sockets, in octal (\"0660\"); none: \"0700\", or \"0770\" with "
             "`listen_group`"},
    {.key = "listen_group", .flag = {},
     .place = [](Options& o) -> std::string& { return o.listen_group; },
     .help = "group of unix sockets, a name or a number; the server's user must be a member"},
    {.key = "http.hosts", .flag = {},
     .place = [](Options& o) -> std::vector<std::string>& { return o.http.hosts; },
     .help = "names in the Host header that are served without tokens, beside `localhost` and IP "
             "addresses; others are answered 421", .live = true},
    {.key = "http.threads", .flag = {},
     .place = [](Options& o) -> std::uint64_t& { return o.http.threads; },
     .help = "threads that serve clients' connections; 0: the thread that runs the tasks serves them "
             "too", .min = 0, .max = 64, .default_text = "processors - 1, from 1 to 8"},
    {.key = "data_dir", .flag = "--data-dir",
     .place = [](Options& o) -> std::string& { return o.data_dir; },
     .help = "directory that keeps the tasks; made where it is missing"},
    {.key = "clock", .flag = "--clock",
     .place = [](Options& o) -> std::string& { return o.clock; },
     .help = "manual: time stands still until it is moved over the API, for tests",
     .choices = "system|manual"},
    {.key = "insecure", .flag = "--insecure",
     .place = [](Options& o) -> bool& { return o.insecure; },
     .help = "serve beyond this machine although no token is set"},

    {.key = "drain_grace", .flag = {},
     .place = [](Options& o) -> Millis& { return o.drain_grace; },
     .help = "how long after SIGTERM requests are still taken, while `/readyz` says draining",
     .live = true, .min = 0, .max = kHour},
    {.key = "shutdown_timeout", .flag = {},
     .place = [](Options& o) -> Millis& { return o.shutdown_timeout; },
     .help = "how long requests and pushes under way may then take; what is left is cut off",
     .live = true, .min = 0, .max = kHour},

    {.key = "log.level", .flag = "--log-level",
     .place = [](Options& o) -> std::string& { return o.log.level; },
     .help = "least important messages that are logged", .live = true,
     .choices = "trace|debug|info|warning|error"},
    {.key = "log.format", .flag = "--log-format",
     .place = [](Options& o) -> std::string& { return o.log.format; },
     .help = "lines for people or for programs, on standard error", .live = true,
     .choices = "human|json"},

    {.key = "tls.certificate_file", .flag = {},
     .place = [](Options& o) -> std::string& { return o.tls.certificate_file; },
     .help = "PEM chain; with it every TCP address speaks TLS", .live = true},
    {.key = "tls.private_key_file", .flag = {},
     .place = [](Options& o) -> std::string& { return o.tls.private_key_file; },
     .help = "PEM key of the certificate", .live = true},
    {.key = "tls.client_ca_file", .flag = {},
     .place = [](Options& o) -> std::string& { return o.tls.client_ca_file; },
     .help = "PEM; clients must show a certificate that it signed", .live = true},

    {.key = "horizon", .flag = {},
     .place = [](Options& o) -> Millis& { return o.engine.horizon; },
     .help = "how far ahead a task may be due", .min = kSecond, .max = 45 * kDay},
    {.key = "retain_finished", .flag = {},
     .place = [](Options& o) -> Millis& { return o.engine.shard.retain_finished; },
     .help = "how long finished tasks stay readable; 0 keeps none", .min = 0, .max = 30 * kDay},
    {.key = "retain_finished_max", .flag = {},
     .place = [](Options& o) -> std::uint64_t& { return o.engine.shard.retained_max; },
     .help = "finished tasks that are kept at most; the oldest are forgotten first",
     .min = 0, .max = 1'000'000'000},
    {.key = "catch_up_per_second", .flag = {},
     .place = [](Options& o) -> std::uint32_t& { return o.engine.shard.catch_up_per_second; },
     .help = "how fast tasks that fell due while the server was down are pushed",
     .min = 1, .max = 1'000'000},
    {.key = "capacity.pushes_in_flight", .flag = {},
     .place = [](Options& o) -> std::uint64_t& { return o.engine.shard.in_flight_max; },
     .help = "pushes under way at once, to all targets; fewer where open files do not allow so many",
     .min = 1, .max = 1'000'000},
    {.key = "max_pending", .flag = {},
     .place = [](Options& o) -> std::uint64_t& { return o.engine.shard.pending_max; },
     .help = "tasks that may wait at once, dead letters among them; over it adds are answered 429",
     .min = 1, .max = 4'000'000'000},
    {.key = "memory_max", .flag = {},
     .place = [](Options& o) -> std::uint64_t& { return o.memory_max; },
     .help = "memory for tasks and buffers, which lowers `max_pending` to what fits; finished tasks "
             "give way to waiting ones; 0B: three quarters of what the machine or its control group "
             "has",
     .min = 0, .max = 4096 * kGib, .unit = Unit::bytes},
    {.key = "content_cache_bytes", .flag = {},
     .place = [](Options& o) -> std::uint64_t& { return o.engine.content_cache_bytes; },
     .help = "memory for payloads that are due soon",
     .min = kMib, .max = 64 * kGib, .unit = Unit::bytes},
    {.key = "log_slack_bytes", .flag = {},
     .place = [](Options& o) -> std::uint64_t& { return o.engine.log_slack_bytes; },
     .help = "the log is cleaned when it is larger than this and twice what its tasks take",
     .min = kKib, .max = 1024 * kGib, .unit = Unit::bytes},
    {.key = "disk_free_min", .flag = {},
     .place = [](Options& o) -> std::uint64_t& { return o.disk_free_min; },
     .help = "with less free on the disk of `data_dir`, adds are answered 507; "
             "cancels, reads and pushes go on; 0B: never",
     .min = 0, .max = 4096 * kGib, .unit = Unit::bytes},

    {.key = "egress.default", .flag = {},
     .place = [](Options& o) -> std::string& { return o.egress.otherwise; },
     .help = "whether pushes may go where no other rule of egress decides; "
             "deny where strangers choose the URLs",
     .live = true, .choices = "allow|deny"},
    {.key = "egress.private", .flag = {},
     .place = [](Options& o) -> bool& { return o.egress.allow_private; },
     .help = "whether pushes may go to loopback and private addresses", .live = true},
    {.key = "egress.allow", .flag = {},
     .place = [](Options& o) -> std::vector<std::string>& { return o.egress.allow; },
     .help = "addresses, CIDR blocks, names or .domains to which pushes may go although "
             "`egress.default` or `egress.private` would not let them",
     .live = true},
    {.key = "egress.deny", .flag = {},
     .place = [](Options& o) -> std::vector<std::string>& { return o.egress.deny; },
     .help = "the same forms, to which pushes may not go; wins over `egress.allow`", .live = true},
    {.key = "egress.proxy", .flag = {},
     .place = [](Options& o) -> std::string& { return o.proxy.url; },
     .help = "http://HOST:PORT of a proxy for pushes; never used for this machine", .live = true},
    {.key = "egress.proxy_credentials_file", .flag = {},
     .place = [](Options& o) -> std::string& { return o.proxy.credentials_file; },
     .help = "file that holds user:password for the proxy", .live = true},
    {.key = "egress.proxy_credentials_env", .flag = {},
     .place = [](Options& o) -> std::string& { return o.proxy.credentials_env; },
     .help = "environment variable that holds them", .live = true},

    {.key = "limits.body_bytes_max", .flag = {},
     .place = [](Options& o) -> std::uint64_t& { return o.api.limits.body_bytes_max; },
     .help = "body of one request; over it 413", .live = true,
     .min = kKib, .max = 64 * kMib, .unit = Unit::bytes},
    {.key = "limits.batch_bytes_max", .flag = {},
     .place = [](Options& o) -> std::uint64_t& { return o.api.limits.batch_bytes_max; },
     .help = "body of one batch; over it 413", .live = true,
     .min = kKib, .max = 256 * kMib, .unit = Unit::bytes},
    {.key = "limits.batch_tasks_max", .flag = {},
     .place = [](Options& o) -> std::uint64_t& { return o.api.limits.batch_tasks_max; },
     .help = "tasks of one batch; over it 413", .live = true, .min = 1, .max = 100'000},
    {.key = "limits.header_bytes_max", .flag = {},
     .place = [](Options& o) -> std::uint64_t& { return o.http.limits.header_bytes_max; },
     .help = "head of one request; over it 431", .live = true,
     .min = kKib, .max = kMib, .unit = Unit::bytes},
    {.key = "limits.header_fields_max", .flag = {},
     .place = [](Options& o) -> std::uint64_t& { return o.http.limits.header_fields_max; },
     .help = "header fields of one request; over it 431", .live = true, .min = 10, .max = 1000},
    {.key = "limits.uri_bytes_max", .flag = {},
     .place = [](Options& o) -> std::uint64_t& { return o.http.limits.uri_bytes_max; },
     .help = "length of a request's URI; over it 414", .live = true,
     .min = 512, .max = kMib, .unit = Unit::bytes},
    {.key = "limits.json_depth_max", .flag = {},
     .place = [](Options& o) -> std::uint64_t& { return o.api.limits.json_depth_max; },
     .help = "how deep JSON may nest; over it 400", .live = true, .min = 4, .max = 1000},
    {.key = "limits.connections_max", .flag = {},
     .place = [](Options& o) -> std::uint64_t& { return o.http.limits.connections_max; },
     .help = "clients connected at once; more are closed", .live = true,
     .min = 1, .max = 1'000'000},
    {.key = "limits.handshakes_max", .flag = {},
     .place = [](Options& o) -> std::uint64_t& { return o.http.limits.handshakes_max; },
     .help = "TLS handshakes under way at once, of some 60 KiB each; more wait for their turn",
     .live = true, .min = 1, .max = 1'000'000},
    {.key = "limits.buffer_bytes_max", .flag = {},
     .place = [](Options& o) -> std::uint64_t& { return o.http.limits.buffer_bytes_max; },
     .help = "request bodies that come in and answers that wait to go out, of all clients "
             "together; over it the slowest clients are disconnected", .live = true,
     .min = kMib, .max = 64 * kGib, .unit = Unit::bytes},
    {.key = "limits.header_timeout", .flag = {},
     .place = [](Options& o) -> Millis& { return o.http.limits.header_timeout; },
     .help = "time for a request's head to arrive", .min = 100, .max = kHour},
    {.key = "limits.body_timeout", .flag = {},
     .place = [](Options& o) -> Millis& { return o.http.limits.body_timeout; },
     .help = "time for a request's body to arrive", .min = 100, .max = kHour},
    {.key = "limits.idle_timeout", .flag = {},
     .place = [](Options& o) -> Millis& { return o.http.limits.idle_timeout; },
     .help = "time between two requests of a connection", .min = 100, .max = kDay},
    {.key = "limits.queue_bytes_max", .flag = {},
     .place = [](Options& o) -> std::uint64_t& { return o.engine.pending_bytes_max; },
     .help = "what may wait for storage; over it 503", .min = kMib, .max = 16 * kGib,
     .unit = Unit::bytes},
};
// clang-format on

}  // namespace

std::span<const Setting> settings() {
  return kSettings;
}

}  // namespace carillon
