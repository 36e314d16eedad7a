#include <algorithm>

#include "api/api.h"
#include "api/handlers.h"
#include "api/names.h"
#include "base/json.h"
#include "engine/refusals.h"
#include "http/uri.h"
#include "shard/lane_shares.h"

namespace carillon {
namespace {

void append_lane(JsonWriter& json, const LaneView& lane) {
  json.begin_object().key("name").string(lane.name);
  json.key("weight").unsigned_integer(lane.settings.weight);
  json.key("reserved").real(static_cast<double>(lane.settings.reserved) / kLaneWhole);
  json.key("waiting").unsigned_integer(lane.waiting);
  json.key("backlog").unsigned_integer(lane.backlog);
  json.key("in_flight").unsigned_integer(lane.in_flight);
  append_lateness(json, lane.lateness);
  append_silent(json, lane.silent);
  json.end_object();
}

Result<LaneSettings> read_lane(Call& call) {
  constexpr std::string_view kKnown[] = {"weight", "reserved"};
  LaneSettings settings;
  const auto parsed =
      call.scratch->reader.parse(call.request.body, [&](simdjson::ondemand::value value) {
        return for_each_field(
            value, kKnown,
            [&](std::string_view key, simdjson::ondemand::value inner) -> Result<bool> {
              if (key == "weight") {
                const auto weight = json_integer(inner, key, 1, kLaneWeightMax);
                if (!weight) return weight.error();
                settings.weight = static_cast<std::uint32_t>(*weight);
                return true;
              }
              double part = 0;
              if (inner.get_double().get(part) != simdjson::SUCCESS)
                return Error{"bad_type", "`reserved` must be a number", "reserved"};
              const Result<std::uint32_t> reserved = reserved_thousandths(part);
              if (!reserved) return reserved.error();
              settings.reserved = *reserved;
              return true;
            });
      });
  if (!parsed) return parsed.error();
  return settings;
}

}  // namespace

Async<Answer<>> list_lanes(Call& call) {
  const std::vector<LaneView> lanes = co_await call.tasks.lanes();
  JsonWriter json(call.response.body);
  json.begin_object().key("lanes").begin_array();
  for (const LaneView& lane : lanes) append_lane(json, lane);
  json.end_array().end_object();
  co_return Answer<>();
}

Async<Answer<>> get_lane(Call& call) {
  const std::vector<LaneView> lanes = co_await call.tasks.lanes();
  const auto lane = std::ranges::find(lanes, call.name, &LaneView::name);
  if (lane == lanes.end()) co_return not_found("lane");
  JsonWriter json(call.response.body);
  append_lane(json, *lane);
  co_return Answer<>();
}

Async<Answer<>> put_lane(Call& call) {
  const Result<LaneSettings> settings = read_lane(call);
  if (!settings) co_return settings.error();
  const auto put = co_await call.tasks.put_lane(call.name, *settings);
  if (!put) co_return put.error();
  if (put->made) say_created(call.response, "/v1/lanes/", call.name);
  JsonWriter json(call.response.body);
  append_lane(json, put->view);
  co_return Answer<>();
}

Async<Answer<>> delete_lane(Call& call) {
  const auto done = co_await call.tasks.delete_lane(call.name);
  if (!done) co_return done.error();
  call.response.status = 204;
  co_return Answer<>();
}

}  // namespace carillon
