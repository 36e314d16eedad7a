// The door for the other nodes of the cluster, which is no part of the API that clients use.

#include "api/api.h"
#include "api/handlers.h"
#include "cluster/peer_calls.h"
#include "cluster/peers.h"

namespace carillon {
namespace {

constexpr std::string_view kBytes = "application/octet-stream";

}  // namespace

Async<Answer<>> answer_peer(Call& call) {
  auto written = co_await call.api.peers()->answer(call.request.authorization, call.request.body);
  if (!written) co_return std::move(written).error();
  call.response.content_type = kBytes;
  call.response.body = std::move(written->bytes);
  call.response.held = std::move(written->held);
  co_return Answer<>();
}

void set_peer_refusal(HttpResponse& response, const Refusal& refusal) {
  response.status = problem_kind(refusal.slug).status;
  response.content_type = kBytes;
  response.body = encode_peer_refusal(refusal);
}

}  // namespace carillon
