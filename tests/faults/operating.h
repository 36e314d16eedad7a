// The client that operates a server while others use it: targets set, paused and deleted, dead
// letters redriven and deleted, checkpoints, and all that only looks.
//
// Operation: as Writer. Its own tasks go to a target whose receiver fails most of the time, with
// two attempts each, so that they become dead letters; which were redriven when, the server is
// asked, while the target is paused, so that none of them can be finished and forgotten by then.
//
// Concurrency: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "tests/faults/caller.h"

namespace carillon::test {

class OperatingClient {
 public:
  struct Options {
    std::uint64_t seed = 0;
    std::string target;         // a target's name, of the writers' tasks
    std::string url;            // its receiver's
    std::string doomed_target;  // the same of our own tasks
    std::string doomed_url;
    std::string checkpoints;  // a directory
    Served served{};
  };

  OperatingClient(ServerAddress& address, SharedLedger& ledger, Options options);

  /// Makes both targets.
  void set_up();
  /// Some random call.
  void step();
  /// The target that writers use, and our own, wait or go on.
  void pause(bool paused);
  /// All dead letters have another try.
  void redrive_all();
  /// Checks that the target is as it was set last.
  void look_at_target();

  [[nodiscard]] std::uint64_t checkpoints() const { return checkpoints_; }
  [[nodiscard]] std::uint64_t redriven() const { return redriven_; }
  [[nodiscard]] std::uint64_t unanswered() const { return caller_.unanswered(); }
  [[nodiscard]] bool given_up() const { return caller_.given_up(); }

 private:
  struct Doomed {
    std::string id, payload;
    Ledger::Task entry = 0;
  };
  using Answer = Caller::Answer;

  /// Asks until there is an answer: for what may be asked twice.
  client::ApiAnswer ask(std::string_view method, const std::string& path,
                        const std::string& body = {});
  /// The same of a GET whose answer must be one that `holds`.
  client::ApiAnswer look(const std::string& path,
                         const std::function<bool(const client::ApiAnswer&)>& holds);
  void put_target();
  void set_paused(const std::string& target, bool paused);
  void pause_and_resume();
  void make_and_delete_target();
  void add_doomed();
  void redrive();
  void remove_dead();
  void forget_finished();
  void checkpoint();
  /// The copies that `dir` is or holds.
  [[nodiscard]] std::vector<std::string> copies_in(const std::string& dir) const;
  void look();

  Caller caller_;
  SharedLedger& ledger_;
  Options options_;
  std::mt19937_64 random_;
  std::uint64_t made_ = 0;
  std::uint64_t checkpoints_ = 0;
  std::uint64_t redriven_ = 0;
  std::uint64_t concurrency_ = 0;
  std::vector<Doomed> doomed_;  // may be or become dead letters
};

}  // namespace carillon::test
