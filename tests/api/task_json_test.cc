#include "api/task_json.h"

#include <gtest/gtest.h>

namespace carillon {
namespace {

struct Parsed {
  JsonScratch scratch{64};
  Result<AddRequest> task = Error{};
  Result<ChangeRequest> change = Error{};
};

std::unique_ptr<Parsed> parse(std::string_view text) {
  auto parsed = std::make_unique<Parsed>();
  const auto done =
      parsed->scratch.reader.parse(text, [&](simdjson::ondemand::value value) -> Result<> {
        parsed->task = parse_task(value, parsed->scratch);
        return {};
      });
  if (!done) parsed->task = done.error();
  return parsed;
}
std::unique_ptr<Parsed> parse_patch(std::string_view text) {
  auto parsed = std::make_unique<Parsed>();
  const auto done =
      parsed->scratch.reader.parse(text, [&](simdjson::ondemand::value value) -> Result<> {
        parsed->change = parse_change(value, parsed->scratch);
        return {};
      });
  if (!done) parsed->change = done.error();
  return parsed;
}

/// "slug field" of the refusal of a task with these members beside what it must have.
std::string refusal(const std::string& members) {
  const auto parsed = parse(R"({"delay":"1s","target":"shop",)" + members + "}");
  return parsed->task ? "" : parsed->task.error().slug + " " + parsed->task.error().field;
}

TEST(ParseTask, ReadsEveryField) {
  const auto parsed = parse(R"({"id":"user:coupon","due_at":"2026-11-21T07:00:00Z",
      "target":"https://example.com/hook","payload": {"a":[1, 2.50]} ,
      "headers":{"X-Trace":"abc"},"group":"coupon","lane":"fast","key":"eu.due","expire_after":"10m",
      "retry":{"max_attempts":3,"backoff_min":"2s","backoff_max":60000},"if_exists":"latest"})");
  ASSERT_TRUE(parsed->task) << parsed->task.error().detail;
  const AddRequest& task = *parsed->task;
  EXPECT_EQ(task.content.id, "user:coupon");
  EXPECT_EQ(task.due_at, WallTime(Millis(1795244400000)));
  EXPECT_FALSE(task.delay);
  EXPECT_EQ(task.content.target, "https://example.com/hook");
  EXPECT_EQ(task.content.body, R"({"a":[1, 2.50]})");
  EXPECT_TRUE(task.content.body_is_json);
  EXPECT_EQ(task.content.content_type, "application/json");
  ASSERT_EQ(task.content.headers.size(), 1U);
  EXPECT_EQ(task.content.headers[0].name, "X-Trace");
  EXPECT_EQ(task.content.group, "coupon");
  EXPECT_EQ(task.content.lane, "fast");
  EXPECT_EQ(task.content.key, "eu.due");
  EXPECT_EQ(task.content.expire_after, std::chrono::minutes(10));
  ASSERT_TRUE(task.content.retry);
  EXPECT_EQ(task.content.retry->max_attempts, 3);
  EXPECT_EQ(task.content.retry->backoff_max, std::chrono::minutes(1));
  EXPECT_EQ(task.if_exists, IfExists::latest);
}

TEST(ParseTask, BodiesHaveTheirContentTypes) {
  const auto text = parse(R"({"delay":0,"target":"t","body":"hi"})");
  EXPECT_EQ(text->task->content.content_type, "text/plain; charset=utf-8");
  EXPECT_FALSE(text->task->content.body_is_json);
  const auto bytes = parse(R"({"delay":0,"target":"t","body_base64":"AP8="})");
  EXPECT_EQ(bytes->task->content.body, std::string_view("\0\xff", 2));
  EXPECT_EQ(bytes->task->content.content_type, "application/octet-stream");
  const auto xml = parse(R"({"delay":0,"target":"t","body":"<a/>","content_type":"text/xml"})");
  EXPECT_EQ(xml->task->content.content_type, "text/xml");
  const auto none = parse(R"({"delay":0,"target":"t"})");
  EXPECT_EQ(none->task->content.content_type, "");
  const auto null = parse(R"({"delay":0,"target":"t","payload":null})");
  EXPECT_EQ(null->task->content.body, "null");
}

TEST(ParseTask, RefusesEachFieldThatIsWrong) {
  EXPECT_EQ(refusal(R"("id":"")"), "bad_id id");
  EXPECT_EQ(refusal(R"("id":"a\u0000b")"), "bad_id id");
  EXPECT_EQ(refusal(R"("id":7)"), "bad_type id");
  EXPECT_EQ(refusal(R"("id":".")"), "bad_id id");
  EXPECT_EQ(refusal(R"("group":"..")"), "bad_id group");
  EXPECT_EQ(refusal(R"("lane":".")"), "bad_id lane");
  EXPECT_EQ(refusal(R"("key":"")"), "bad_value key");
  EXPECT_EQ(refusal(R"("key":")" + std::string(1025, 'k') + "\""), "bad_value key");
  EXPECT_EQ(refusal(R"("due_at":0)"), "bad_time due_at");
  EXPECT_EQ(refusal(R"("due_at":1793000000)"), "bad_time due_at");
  EXPECT_EQ(refusal(R"("due_at":1793000000000)"), "conflicting_fields delay");
  EXPECT_EQ(refusal(R"("group":"")"), "bad_id group");
  EXPECT_EQ(refusal(R"("lane":"a\nb")"), "bad_id lane");
  EXPECT_EQ(refusal(R"("expire_after":0)"), "bad_value expire_after");
  EXPECT_EQ(refusal(R"("expire_after":"-1s")"), "bad_duration expire_after");
  EXPECT_EQ(refusal(R"("retry":{"max_attempts":0})"), "bad_value retry.max_attempts");
  EXPECT_EQ(refusal(R"("retry":{"max_atempts":3})"), "unknown_field retry.max_atempts");
  EXPECT_EQ(refusal(R"("retry":{"backoff_min":"2h","backoff_max":"1h"})").substr(0, 9),
            "bad_value");
  EXPECT_EQ(refusal(R"("retry":3)").substr(0, 8), "bad_type");
  EXPECT_EQ(refusal(R"("if_exists":"maybe")"), "bad_value if_exists");
  EXPECT_EQ(refusal(R"("payload":1,"body":"x")"), "conflicting_fields body");
  EXPECT_EQ(refusal(R"("content_type":"text/plain")"), "conflicting_fields content_type");
  EXPECT_EQ(refusal(R"("payload":1,"content_type":"a/b")"), "conflicting_fields content_type");
  EXPECT_EQ(refusal(R"("body":"x","content_type":"a\r\nb")"), "bad_header content_type");
  EXPECT_EQ(refusal(R"("body_base64":"A")"), "bad_value body_base64");
  EXPECT_EQ(refusal(R"("body_base64":"AP8")"), "bad_value body_base64");
  EXPECT_EQ(refusal(R"("headers":[])"), "bad_type headers");
  EXPECT_EQ(refusal(R"("headers":{"a":1})"), "bad_type headers");
  EXPECT_EQ(refusal(R"("headers":{"host":"x"})"), "bad_header headers");
  EXPECT_EQ(refusal(R"("headers":{"a":"x\r\ny: z"})"), "bad_header headers");
  EXPECT_EQ(refusal(R"("headers":{"a":"1","A":"2"})"), "duplicate_field headers");
  EXPECT_EQ(refusal(R"("grup":"a")"), "unknown_field grup");
  EXPECT_EQ(refusal(R"("target":"again")"), "duplicate_field target");
}

TEST(ParseTask, NullIsAsIfAbsent) {
  const auto parsed = parse(R"({"id":null,"due_at":null,"delay":"1m30s","target":"t","payload":null,
      "body":"hi","body_base64":null,"content_type":null,"headers":null,"group":null,"lane":null,
      "expire_after":null,"retry":null,"if_exists":null})");
  ASSERT_TRUE(parsed->task) << parsed->task.error().detail;
  const AddRequest& task = *parsed->task;
  EXPECT_EQ(task.delay, std::chrono::seconds(90));
  EXPECT_FALSE(task.due_at || task.content.retry || task.content.expire_after);
  EXPECT_EQ(task.content.body, "hi");
  EXPECT_EQ(task.content.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(task.content.id, "");
  EXPECT_EQ(task.if_exists, IfExists::reject);

  const auto nested = parse(R"({"delay":1,"target":"t","retry":{"max_attempts":null,
      "backoff_min":"PT2S","backoff_max":null}})");
  ASSERT_TRUE(nested->task && nested->task->content.retry);
  EXPECT_EQ(nested->task->content.retry->backoff_min, std::chrono::seconds(2));
  EXPECT_FALSE(nested->task->content.retry->max_attempts) << "as the target says";

  EXPECT_EQ(parse(R"({"delay":null,"target":"t"})")->task.error().slug, "missing_field");
  EXPECT_EQ(parse(R"({"delay":1,"target":null})")->task.error().slug, "missing_field");
}

TEST(ParseTask, TakesTheFormsOfOtherLanguages) {
  const auto parsed = parse(
      "\xef\xbb\xbf"
      R"({"due_at":"2026-12-24T08:00+01:00","target":"t",
      "expire_after":9e4,"retry":{"max_attempts":3.0,"backoff_max":"PT1H"}})");
  ASSERT_TRUE(parsed->task) << parsed->task.error().detail;
  EXPECT_EQ(parsed->task->due_at, WallTime(Millis(1798095600000)));
  EXPECT_EQ(parsed->task->content.expire_after, std::chrono::seconds(90));
  EXPECT_EQ(parsed->task->content.retry->max_attempts, 3);
  EXPECT_EQ(parsed->task->content.retry->backoff_max, std::chrono::hours(1));
}

TEST(ParseTask, HeadersAreBoundedInNumberAndBytes) {
  const auto headers = [](std::size_t count, std::size_t value_bytes) {
    std::string members;
    for (std::size_t i = 0; i < count; ++i)
      members += (i == 0 ? "\"x-" : ",\"x-") + std::to_string(i) + "\":\"" +
                 std::string(value_bytes, 'v') + '"';
    return "\"headers\":{" + members + "}";
  };
  EXPECT_EQ(refusal(headers(64, 100)), "");
  EXPECT_EQ(refusal(headers(65, 1)), "bad_value headers");
  EXPECT_EQ(refusal(headers(95'000, 1)), "bad_value headers");
  EXPECT_EQ(refusal(headers(2, 8'000)), "");
  EXPECT_EQ(refusal(headers(3, 8'000)), "bad_value headers");
  EXPECT_EQ(parse_patch("{" + headers(65, 1) + "}")->change.error().slug, "bad_value");
}

TEST(ParseTask, RefusesWhatIsMissingAndBadTargets) {
  EXPECT_EQ(parse(R"({"target":"t"})")->task.error().slug, "missing_field");
  EXPECT_EQ(parse(R"({"delay":1})")->task.error().field, "target");
  EXPECT_EQ(parse(R"({"delay":1,"target":""})")->task.error().slug, "bad_id");
  EXPECT_EQ(parse("[]")->task.error().slug, "bad_type");
}

TEST(ParseChange, TellsUnchangedFromRemoved) {
  const auto parsed = parse_patch(
      R"({"delay":"5m","group":null,"retry":null,"expire_after":null,"headers":null,"lane":"x","key":null})");
  ASSERT_TRUE(parsed->change) << parsed->change.error().detail;
  const ChangeRequest& change = *parsed->change;
  EXPECT_EQ(change.delay, std::chrono::minutes(5));
  EXPECT_EQ(change.group, std::string_view());
  EXPECT_EQ(change.lane, "x");
  EXPECT_EQ(change.key, std::string_view());
  ASSERT_TRUE(change.retry && change.expire_after && change.headers);
  EXPECT_FALSE(*change.retry);
  EXPECT_FALSE(*change.expire_after);
  EXPECT_TRUE(change.headers->empty());
  EXPECT_FALSE(change.target);
  EXPECT_FALSE(change.body);
}

TEST(ParseChange, RefusesNothingAndWhatCannotChange) {
  EXPECT_EQ(parse_patch("{}")->change.error().slug, "missing_field");
  EXPECT_EQ(parse_patch(R"({"id":"b"})")->change.error().slug, "unknown_field");
  EXPECT_EQ(parse_patch(R"({"target":null})")->change.error().slug, "bad_type");
  EXPECT_EQ(parse_patch(R"({"due_at":1793000000})")->change.error().slug, "bad_time");
  EXPECT_EQ(parse_patch(R"({"delay":1,"due_at":1793000000000})")->change.error().slug,
            "conflicting_fields");
  EXPECT_EQ(parse_patch(R"({"content_type":"a/b"})")->change.error().slug, "conflicting_fields");
}

TEST(AppendTask, WhatIsExportedIsReadBackTheSame) {
  const auto first = parse(R"({"id":"a\"b","due_at":1795244400000,"target":"shop","group":"g",
      "body_base64":"AP8=","content_type":"x/y","headers":{"a":"b"},"expire_after":"1h",
      "retry":{"max_attempts":2}})");
  ASSERT_TRUE(first->task);
  TaskView view;
  view.content = first->task->content;
  view.due_at = *first->task->due_at;
  std::string line;
  JsonWriter json(line);
  append_task(json, view, TaskDetail::import, Secrets::shown);
  const auto second = parse(line);
  ASSERT_TRUE(second->task) << line << second->task.error().detail;
  EXPECT_EQ(second->task->content.id, "a\"b");
  EXPECT_EQ(second->task->due_at, first->task->due_at);
  EXPECT_EQ(second->task->content.body, first->task->content.body);
  EXPECT_EQ(second->task->content.content_type, "x/y");
  EXPECT_EQ(second->task->content.retry, first->task->content.retry);
  EXPECT_EQ(second->task->content.expire_after, first->task->content.expire_after);
  EXPECT_EQ(second->task->content.headers.size(), 1U);
}

TEST(AppendTask, PayloadWithLineBreaksIsExportedInOneLineWithItsBytes) {
  const auto first =
      parse("{\"id\":\"a\",\"delay\":1,\"target\":\"shop\",\"payload\":{\n  \"n\": 1\n}}");
  ASSERT_TRUE(first->task) << first->task.error().detail;
  TaskView view;
  view.content = first->task->content;
  view.due_at = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 21));
  std::string line;
  JsonWriter json(line);
  append_task(json, view, TaskDetail::import, Secrets::shown);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto second = parse(line);
  ASSERT_TRUE(second->task) << line << second->task.error().detail;
  EXPECT_EQ(second->task->content.body, "{\n  \"n\": 1\n}");
  EXPECT_EQ(second->task->content.content_type, "application/json");
}

}  // namespace
}  // namespace carillon
