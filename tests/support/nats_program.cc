#include "tests/support/nats_program.h"

#include "base/check.h"
#include "tests/support/process.h"

namespace carillon::test {

const std::string& nats_program() {
  static const std::string path = [] {
    const Finished found = run_program({CARILLON_SOURCE_DIR "/tools/nats-server.sh"});
    CARILLON_CHECK(found.ending.code == 0);
    return found.output.substr(0, found.output.find('\n'));
  }();
  return path;
}

}  // namespace carillon::test
