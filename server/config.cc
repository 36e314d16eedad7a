#include "server/config.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "base/json.h"
#include "http/host_rule.h"
#include "net/tls.h"
#include "net/url.h"
#include "server/config_file.h"
#include "server/listen.h"
#include "server/version.h"

namespace carillon {
namespace {

constexpr std::string_view kConfigVariable = "CARILLON_CONFIG";

std::string help_footer() {
  std::ostringstream text;
  text << "\nSettings: key in the file, default, meaning. The environment variable of a.b is "
          "CARILLON_A_B.\n"
          "A flag beats the environment, which beats the file.\n";
  const Options defaults;
  for (const Setting& setting : settings()) {
    const std::string value = show(setting, defaults);
    text << "  " << setting.key << " = " << (value.empty() ? "(none)" : value) << "\n      "
         << setting.help << "\n";
  }
  text << "  [targets.NAME], [url_defaults], [[tokens]]\n"
          "      see docs/configuration.md\n";
  return text.str();
}

Result<> apply_environment(const Environment& environment, Options& options) {
  std::vector<std::string> known{std::string(kConfigVariable)};
  for (const Setting& setting : settings()) {
    known.push_back(environment_name(setting.key));
    const auto found = environment.find(known.back());
    if (found == environment.end()) continue;
    if (Result<> set = set_text(setting, options, found->second); !set) {
      return std::move(set).error().in(known.back());
    }
  }
  // Not an error: orchestrators set variables of their own after a service's name.
  const std::vector<std::string_view> names(known.begin(), known.end());
  for (const auto& [name, value] : environment) {
    if (!name.starts_with("CARILLON_") || std::ranges::find(known, name) != known.end()) continue;
    if (name.starts_with("CARILLON_SECRET_")) continue;  // a target's
    const std::string_view near = nearest_name(name, names);
    if (!near.empty()) {
      options.warnings.push_back("the environment variable " + name +
                                 " is no setting; did you mean " + std::string(near) + "?");
    }
  }
  return {};
}

Result<> apply_flags(const Arguments& arguments, Options& options) {
  for (const auto& [setting, values] : arguments.flags) {
    Result<> set = is_list(*setting) ? set_list(*setting, options, values)
                                     : set_text(*setting, options, values.back());
    if (!set) return std::move(set).error().in(setting->flag);
  }
  return {};
}

/// The proxy with its credentials.
Result<> read_proxy(const Environment& environment, Options& options) {
  const auto bad = [](const std::string& detail) {
    return Error{.slug = "config", .detail = detail, .field = "egress"};
  };
  const Options::Proxy& given = options.proxy;
  std::string credentials;
  if (!given.credentials_file.empty() && !given.credentials_env.empty()) {
    return bad("egress.proxy_credentials_file and egress.proxy_credentials_env exclude each other");
  }
  if (!given.credentials_file.empty()) {
    std::ifstream file(given.credentials_file);
    if (!std::getline(file, credentials)) {
      return bad("egress.proxy_credentials_file: cannot read " + given.credentials_file);
    }
  } else if (!given.credentials_env.empty()) {
    const auto found = environment.find(given.credentials_env);
    if (found == environment.end()) {
      return bad("egress.proxy_credentials_env: the environment variable " + given.credentials_env +
                 " is not set");
    }
    credentials = found->second;
  }
  auto proxy = make_proxy(given.url, credentials);
  if (!proxy) return std::move(proxy).error().in("egress.proxy");
  options.way_out = *std::move(proxy);
  return {};
}

Result<> check_alarms(const Options& options) {
  const std::string& url = options.monitor.alarm_url;
  if (url.empty()) return {};
  if (!options.monitor.alarm_target.empty()) {
    return Error{"config", "alarms.url and alarms.target exclude each other", "alarms.url"};
  }
  if (auto parsed = parse_url(url); !parsed) {
    return Error{"config", "alarms.url: " + parsed.error().detail, "alarms.url"};
  }
  return {};
}

Result<> check_tracing(const Options& options) {
  const std::string& url = options.tracing.otlp_url;
  if (url.empty()) return {};
  if (auto parsed = parse_url(url); !parsed) {
    return Error{"config", "tracing.otlp_url: " + parsed.error().detail, "tracing.otlp_url"};
  }
  return {};
}

Error cluster_error(std::string_view key, std::string detail) {
  const std::string whole = "cluster." + std::string(key);
  return Error{.slug = "config", .detail = whole + " " + std::move(detail), .field = whole};
}

/// Whether `text` can stand between the dots of a NATS subject.
bool is_subject_token(std::string_view text) {
  constexpr std::size_t kLongest = 32;
  return !text.empty() && text.size() <= kLongest && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_';
  });
}

Result<> check_cluster(const Options& options) {
  const ClusterOptions& cluster = options.cluster;
  if (!cluster.given()) {
    if (cluster.nats.empty() && cluster.advertise.empty() && cluster.secret_file.empty()) return {};
    return cluster_error("name", "is missing");
  }
  if (!is_subject_token(cluster.name)) {
    return cluster_error("name", "is 1 to 32 letters, digits, - and _");
  }
  if (cluster.nats.empty()) return cluster_error("nats", "is missing: \"nats://HOST:4222\"");
  for (const std::string& server : cluster.nats) {
    if (server.find('@') != std::string::npos) {
      return cluster_error("nats",
                           "has a password in a URL; use cluster.nats_username and "
                           "cluster.nats_password_file, or cluster.nats_creds_file");
    }
    if (server.starts_with("nats://") || server.starts_with("tls://")) continue;
    return cluster_error("nats",
                         "has \"" + server + "\"; wanted nats://HOST:PORT or tls://HOST:PORT");
  }
  if (cluster.trust.certificate_file.empty() != cluster.trust.private_key_file.empty()) {
    return cluster_error("nats_certificate_file", "and cluster.nats_private_key_file go together");
  }
  if (cluster.trust.username.empty() != cluster.trust.password_file.empty()) {
    return cluster_error("nats_username", "and cluster.nats_password_file go together");
  }
  if (cluster.secret_file.empty()) {
    return cluster_error("secret_file", "is missing; `openssl rand -hex 32` makes a secret");
  }
  const Result<Url> advertise = parse_url(cluster.advertise);
  if (!advertise || advertise->path != "/") {
    return cluster_error("advertise",
                         "is to be the URL of this node for the others: "
                         "\"http://HOST:PORT\"");
  }
  if (options.clock != "system") {
    return cluster_error("name", "and a manual clock exclude each other");
  }
  return {};
}

Result<> check_whole(const Options& options) {
  if (options.listen.empty()) {
    return Error{.slug = "config", .detail = "listen is empty", .field = "listen"};
  }
  if (const auto addresses = listen_addresses(options); !addresses) return addresses.error();
  for (const std::string& name : options.http.hosts) {
    if (Result<> fine = check_host_name(name); !fine) return fine;
  }
  if (options.tls.certificate_file.empty() != options.tls.private_key_file.empty()) {
    return Error{.slug = "config",
                 .detail = "tls.certificate_file and tls.private_key_file go together",
                 .field = "tls"};
  }
  if (!options.tls.client_ca_file.empty() && options.tls.certificate_file.empty()) {
    return Error{.slug = "config",
                 .detail = "tls.client_ca_file needs tls.certificate_file",
                 .field = "tls"};
  }
  if (!options.tls.certificate_file.empty()) {
    const Result<TlsContext> tls = make_server_tls(
        {options.tls.certificate_file, options.tls.private_key_file, options.tls.client_ca_file});
    if (!tls) return tls.error();
  }
  if (options.data_dir.empty()) {
    return Error{.slug = "config", .detail = "data_dir is empty", .field = "data_dir"};
  }
  if (const Result<Egress> egress = Egress::make(options.egress); !egress) return egress.error();
  if (Result<> fine = check_alarms(options); !fine) return fine;
  if (Result<> fine = check_tracing(options); !fine) return fine;
  return check_cluster(options);
}

}  // namespace

std::variant<Arguments, EarlyExit> parse_arguments(int argc, const char* const* argv) {
  CLI::App app("carillond: keeps tasks until they are due, then pushes them", "carillond");
  app.footer(help_footer);
  Arguments arguments;
  app.add_option("--config", arguments.config_file, "config file, TOML (or CARILLON_CONFIG)")
      ->type_name("FILE");
  app.add_flag("--check-config", arguments.check_config, "check the configuration and exit");
  app.set_version_flag("--version", "carillond " + std::string(kVersion));

  // CLI11 keeps references to these, so they must not move.
  std::vector<std::vector<std::string>> values(settings().size());
  std::vector<CLI::Option*> flags(settings().size());
  for (std::size_t i = 0; i < settings().size(); ++i) {
    const Setting& setting = settings()[i];
    if (setting.flag.empty()) continue;
    CLI::Option* const option =
        app.add_option(std::string(setting.flag), values[i], std::string(setting.help));
    option->type_name(is_switch(setting)        ? ""
                      : setting.choices.empty() ? "TEXT"
                                                : std::string(setting.choices));
    option->expected(is_switch(setting) ? 0 : 1);
    option->multi_option_policy(is_list(setting) ? CLI::MultiOptionPolicy::TakeAll
                                                 : CLI::MultiOptionPolicy::Throw);
    flags[i] = option;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    std::ostringstream out;
    std::ostringstream err;
    const bool fine = app.exit(stop, out, err) == 0;
    return EarlyExit{.code = fine ? 0 : 2, .text = fine ? out.str() : err.str()};
  }
  for (std::size_t i = 0; i < settings().size(); ++i) {
    if (flags[i] == nullptr || flags[i]->count() == 0) continue;
    if (is_switch(settings()[i])) values[i] = {"true"};
    arguments.flags.emplace_back(&settings()[i], values[i]);
  }
  return arguments;
}

Environment read_environment() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != text.npos) environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

Result<Options> load_options(const Arguments& arguments, const Environment& environment) {
  Options options;
  options.api.version = kVersion;
  std::string file = arguments.config_file;
  if (const auto named = environment.find(std::string(kConfigVariable));
      file.empty() && named != environment.end()) {
    file = named->second;
  }
  Result<> step;
  if (!file.empty()) step = read_config_file(file, environment, options);
  if (step) step = apply_environment(environment, options);
  if (step) step = apply_flags(arguments, options);
  if (step) step = read_proxy(environment, options);
  if (step) step = check_whole(options);
  if (!step) return step.error();
  return options;
}

std::vector<std::string_view> settings_that_need_restart(const Options& before,
                                                         const Options& after) {
  std::vector<std::string_view> keys;
  for (const Setting& setting : settings()) {
    if (!setting.live && show(setting, before) != show(setting, after)) keys.push_back(setting.key);
  }
  return keys;
}

}  // namespace carillon
