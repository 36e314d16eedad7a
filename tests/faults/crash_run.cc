#include "tests/faults/crash_run.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include <gtest/gtest.h>
#include <simdjson.h>

#include "tests/end_to_end/json_find.h"
#include "tests/end_to_end/scenarios.h"

namespace carillon::test {
namespace {

constexpr std::uint32_t kWriters = 3;
constexpr double kFailing = 0.1;
constexpr double kDoomedFailing = 0.7;
constexpr Millis kAnswerDelay{2};
constexpr Millis kPatience = std::chrono::minutes(2);
constexpr Millis kPollPause{10};

std::unique_ptr<load::Receiver> make_receiver(double failing) {
  auto receiver = start_receiver(kAnswerDelay);
  receiver->set_failing({.share = failing, .attempts = 0, .status = 503});
  return receiver;
}

/// Calls `happens` until it answers true; a test failure where that takes minutes.
template <typename Happens>
void wait_until(const char* what, Happens&& happens) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!happens()) {
    if (std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << "in vain: " << what;
      return;
    }
    std::this_thread::sleep_for(kPollPause);
  }
}

std::string id_of(const simdjson::dom::element& task) {
  std::string_view id;
  EXPECT_EQ(task["id"].get(id), simdjson::SUCCESS);
  return std::string(id);
}

}  // namespace

CrashRun::CrashRun(ServerAddress& address, const Options& options)
    : receiver_(make_receiver(kFailing)),
      doomed_receiver_(make_receiver(kDoomedFailing)),
      address_(address),
      options_(options),
      caller_(address, options.served) {
  std::filesystem::create_directory(dir_ / "checkpoints");
  const std::uint64_t seeds = options_.seed * 100;
  for (std::uint32_t i = 0; i < kWriters; ++i) {
    writers_.push_back(std::make_unique<Writer>(address_, ledger_,
                                                Writer::Options{.number = i,
                                                                .seed = seeds + i,
                                                                .target = "shop",
                                                                .url = receiver_->url(),
                                                                .served = options_.served}));
  }
  operating_ = std::make_unique<OperatingClient>(
      address_, ledger_,
      OperatingClient::Options{.seed = seeds + kWriters,
                               .target = "shop",
                               .url = receiver_->url(),
                               .doomed_target = "doomed",
                               .doomed_url = doomed_receiver_->url(),
                               .checkpoints = dir_ / "checkpoints",
                               .served = options_.served});
}

CrashRun::~CrashRun() {
  end_clients();
}

void CrashRun::begin() {
  operating_->set_up();
  threads_.emplace_back([this] {
    while (!ending_ && !operating_->given_up()) operating_->step();
  });
  for (const auto& writer : writers_) {
    threads_.emplace_back([this, &writer = *writer] {
      while (!ending_ && !writer.given_up()) writer.step();
    });
  }
}

void CrashRun::go_on_for_a_while() {
  wait_until("tasks are cancelled", [&] { return count("cancelled") >= 30; });
}

void CrashRun::end_clients() {
  ending_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

client::ApiAnswer CrashRun::get(const std::string& path) {
  Caller::Answer answer;
  const auto is_whole = [](const client::ApiAnswer& seen) {
    return seen.body.find("\"silent_shards\"") == std::string::npos;
  };
  wait_until("the server answers", [&] {
    answer = caller_.call("GET", path);
    return caller_.given_up() || (answer && is_whole(*answer));
  });
  if (answer && answer->ok()) return *answer;
  ADD_FAILURE() << path << ": " << (answer ? answer->body : "no answer");
  return {};
}

std::int64_t CrashRun::count(std::string_view state) {
  return number_at(get("/v1/stats").body, "/counts/" + std::string(state));
}

/// Until nothing happens by itself any more: what goes to a URL is delivered, the rest waits.
void CrashRun::halt() {
  operating_->pause(true);
  wait_until("nothing is being pushed", [&] {
    return get("/v1/export").body.find(R"("target":"http)") == std::string::npos &&
           count("firing") == 0;
  });
}

CrashRun::Said CrashRun::what_is_pending() {
  Said said;
  simdjson::dom::parser parser;
  std::istringstream lines(get("/v1/export").body);
  for (std::string line; std::getline(lines, line);) {
    const std::string id = text_at(line, "/id");
    const std::string payload = '"' + text_at(line, "/payload") + '"';
    ledger_([&](Ledger& ledger) { ledger.found(id, hash_of_payload(payload), State::scheduled); });
    said.exported.push_back(id);
  }
  for (const char* state : {"scheduled", "retrying"}) {
    said.counted += count(state);
    std::string cursor;
    do {
      const std::string page = get("/v1/tasks?limit=1000&state=" + std::string(state) +
                                   (cursor.empty() ? "" : "&cursor=" + cursor))
                                   .body;
      simdjson::dom::array tasks;
      EXPECT_EQ(parser.parse(page)["tasks"].get(tasks), simdjson::SUCCESS);
      for (const auto task : tasks) said.listed.push_back(id_of(task));
      cursor = client::percent_encoded(text_at(page, "/next_cursor"));
    } while (!cursor.empty());
  }
  std::ranges::sort(said.exported);
  std::ranges::sort(said.listed);
  return said;
}

void CrashRun::take_dead() {
  const std::string body = get("/v1/dead?limit=1000").body;
  simdjson::dom::parser parser;
  simdjson::dom::array dead;
  EXPECT_EQ(parser.parse(body)["tasks"].get(dead), simdjson::SUCCESS);
  EXPECT_EQ(static_cast<std::int64_t>(dead.size()), std::min<std::int64_t>(count("dead"), 1000));
  for (const auto task : dead) {
    const std::string id = id_of(task);
    EXPECT_TRUE(id.starts_with("doomed-")) << id << " is a dead letter, with attempts left";
    ledger_(
        [&](Ledger& ledger) { ledger.found(id, hash_of_payload('"' + id + '"'), State::dead); });
  }
}

void CrashRun::take_arrivals() {
  for (load::Receiver* receiver : {receiver_.get(), doomed_receiver_.get()}) {
    for (const load::Arrival& arrival : receiver->take_arrivals()) {
      ledger_([&](Ledger& ledger) {
        ledger.pushed({.id = arrival.task_id,
                       .body = arrival.body_hash,
                       .webhook = arrival.webhook_hash,
                       .due = arrival.due,
                       .at = arrival.at,
                       .attempt = arrival.attempt,
                       .accepted = arrival.answered < 300,
                       .seen = arrival.at.time_since_epoch().count()});
      });
    }
  }
}

/// What the server says, by export, by listing and by counting, is one and the same, and the
/// ledger's.
void CrashRun::ask_the_server() {
  const Said said = what_is_pending();
  EXPECT_EQ(said.exported, said.listed);
  EXPECT_EQ(said.counted, static_cast<std::int64_t>(said.exported.size()));
  take_dead();
}

void CrashRun::come_due() {
  doomed_receiver_->set_failing({});
  operating_->pause(false);
  for (const auto& writer : writers_) writer->bring_near();
  operating_->redrive_all();
  wait_until("everything is delivered", [&] {
    const std::string body = get("/v1/stats").body;
    return number_at(body, "/counts/scheduled") == 0 && number_at(body, "/counts/retrying") == 0 &&
           number_at(body, "/counts/firing") == 0;
  });
}

void CrashRun::finish(bool may_repeat) {
  end_clients();
  operating_->look_at_target();
  halt();
  ask_the_server();
  log_bytes_ = number_at(get("/v1/stats").body, "/storage/log_bytes");
  come_due();
  take_arrivals();
  verdict_ = ledger_([](Ledger& ledger) { return ledger.judge({.may_repeat = true}); });
  EXPECT_TRUE(verdict_.good()) << verdict_.text();
  // Not by the ledger's rule: what was said to be pending has come since.
  if (!may_repeat) {
    EXPECT_EQ(verdict_.repeats, 0U) << verdict_.text();
  }
  EXPECT_EQ(receiver_->summary().early + doomed_receiver_->summary().early, 0U);
}

std::string CrashRun::figures() const {
  std::uint64_t unanswered = operating_->unanswered();
  for (const auto& writer : writers_) unanswered += writer->unanswered();
  return verdict_.text() + "; " + std::to_string(unanswered) + " calls without an answer, " +
         std::to_string(operating_->checkpoints()) + " checkpoints, " +
         std::to_string(operating_->redriven()) + " redriven, log of " +
         std::to_string(log_bytes_ >> 10) + " KiB";
}

}  // namespace carillon::test
