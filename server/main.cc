// carillond: see server/app.h.
#include <cstdio>
#include <exception>

#include "server/app.h"
#include "server/logging.h"

namespace {

int run(int argc, char** argv) {
  using namespace carillon;
  const auto parsed = parse_arguments(argc, argv);
  if (const auto* exit = std::get_if<EarlyExit>(&parsed)) {
    std::fputs(exit->text.c_str(), exit->code == 0 ? stdout : stderr);
    return exit->code;
  }
  const auto& arguments = std::get<Arguments>(parsed);
  prepare_process();
  Result<Options> options = load_options(arguments, read_environment());
  if (!options) {
    std::fprintf(stderr, "carillond: %s\n", options.error().detail.c_str());
    return static_cast<int>(ExitCode::start_failed);
  }
  if (arguments.check_config) {
    for (const std::string& warning : options->warnings) {
      std::fprintf(stderr, "carillond: warning: %s\n", warning.c_str());
    }
    std::puts("the configuration is fine");
    return 0;
  }
  set_up_logging(options->log.level, options->log.format);
  const ExitCode code = run_server(arguments, std::move(*options));
  flush_log();
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    carillon::flush_log();
    carillon::write_last_words(std::string("carillond: ") + error.what() + "\n");
    return static_cast<int>(carillon::ExitCode::start_failed);
  }
}
