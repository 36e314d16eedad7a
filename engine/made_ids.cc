#include "engine/made_ids.h"

#include <cstdint>

#include "base/text.h"

namespace carillon {

std::mt19937_64 make_random() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(),
                     device(), device(), device(), device()};
  return std::mt19937_64(seed);
}

std::string make_task_id(WallTime now, std::mt19937_64& random) {
  const auto ms = static_cast<std::uint64_t>(now.time_since_epoch().count());
  const std::uint64_t a = random();
  std::string uuid = "00000000-0000-0000-0000-000000000000";
  write_hex(&uuid[0], ms >> 16, 8);
  write_hex(&uuid[9], ms, 4);
  write_hex(&uuid[14], 0x7000 | (a & 0x0fff), 4);
  write_hex(&uuid[19], 0x8000 | ((a >> 16) & 0x3fff), 4);
  write_hex(&uuid[24], random(), 12);
  return uuid;
}

std::string make_webhook_id(std::mt19937_64& random) {
  std::string id = "msg_00000000000000000000000000000000";
  write_hex(&id[4], random(), 16);
  write_hex(&id[20], random(), 16);
  return id;
}

}  // namespace carillon
