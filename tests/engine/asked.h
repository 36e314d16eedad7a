// Whoever submitted one or more commands to a driver, and what came of it.
#pragma once

#include <functional>
#include <vector>

#include "engine/driver.h"

namespace carillon {

/// A base of its own, since the replies must be there before the caller that points to them.
struct AskedReplies {
  std::vector<Reply> replies;
};

struct Asked final : AskedReplies, Caller {
  explicit Asked(std::size_t count)
      : AskedReplies{std::vector<Reply>(count)}, Caller(replies.data()) {}
  void answered() override {
    done = true;
    if (then) then();
  }
  void dropped() override { gone = true; }
  [[nodiscard]] std::vector<Verdict> verdicts() const {
    std::vector<Verdict> all;
    for (const Reply& reply : replies) all.push_back(reply.verdict);
    return all;
  }

  bool done = false;
  bool gone = false;
  std::function<void()> then;  // called once it is answered; may be empty
};

}  // namespace carillon
