// Calls and answers between the nodes of a cluster, as anybody may send them who gets past their
// authentication. The first byte chooses: 0 is a call, others are the answer to the call of that
// number.

#include "cluster/wire.h"
#include "tests/fuzz/fuzz.h"

namespace carillon {
namespace {

void check_call(std::string_view bytes) {
  const auto decoded = decode_call(bytes);
  if (!decoded) return;
  const std::string again = std::visit(
      [&](const auto& call) { return encode_call(decoded->shard, call); }, decoded->call);
  CARILLON_CHECK(again == bytes);
}

template <typename Call>
void check_answer(std::string_view bytes) {
  Answer<typename Call::Told> answer = Refusal();
  if (!decode_answer(std::make_shared<const std::string>(bytes), answer)) return;
  const auto once = std::make_shared<const std::string>(encode_answer(answer));
  CARILLON_CHECK(decode_answer(once, answer) && encode_answer(answer) == *once);
}

template <std::size_t kNumber = 0>
void check_answer_to(std::size_t number, std::string_view bytes) {
  if constexpr (kNumber < std::variant_size_v<shard_call::Any>) {
    using Call = std::variant_alternative_t<kNumber, shard_call::Any>;
    if (number == kNumber) return check_answer<Call>(bytes);
    check_answer_to<kNumber + 1>(number, bytes);
  }
}

}  // namespace
}  // namespace carillon

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  carillon::fuzz::Input input(data, size);
  const std::uint8_t kind = input.u8();
  if (kind == 0) {
    carillon::check_call(input.rest());
  } else {
    carillon::check_answer_to(kind - 1U, input.rest());
  }
  return 0;
}
