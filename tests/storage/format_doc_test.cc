// The worked bytes of docs/on-disk-format.md are what the code writes.
#include <fstream>
#include <map>

#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include "storage/content.h"
#include "storage/note.h"
#include "storage/record_codec.h"
#include "storage/store.h"
#include "storage/synced_mark.h"
#include "tests/storage/damage.h"

namespace carillon {
namespace {

/// The bytes at the front of "01 a4  comment", without spaces; empty: there are none.
std::string leading_bytes(std::string_view line) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string bytes;
  for (std::size_t at = 0; at + 1 < line.size() && digits.find(line[at]) != std::string_view::npos;
       at += 3) {
    bytes += line.substr(at, 2);
    if (at + 2 < line.size() && line[at + 2] != ' ') return "";
  }
  return bytes;
}

/// The blocks of the document that begin with "```hex NAME": their bytes, without the comments.
std::map<std::string, std::string> worked_bytes() {
  std::map<std::string, std::string> blocks;
  std::ifstream file(CARILLON_SOURCE_DIR "/docs/on-disk-format.md");
  std::string name;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```hex ")) {
      name = line.substr(7);
    } else if (line.starts_with("```")) {
      name.clear();
    } else if (!name.empty()) {
      const std::string bytes = leading_bytes(line);
      EXPECT_NE(bytes, "") << line;
      blocks[name] += bytes;
    }
  }
  return blocks;
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text += digits[static_cast<std::uint8_t>(byte) >> 4];
    text += digits[static_cast<std::uint8_t>(byte) & 15];
  }
  return text;
}

Batch example_batch() {
  Batch batch;
  batch.first = 1000;
  batch.at = at_ms(1'700'000'000'000);
  Statement task;
  task.task = {0x1122334455667788, 0x99aa};
  task.number = 1000;
  task.due = task.asked_due = at_ms(1'700'000'060'000);
  task.target = {0x0101010101010101, 0x0202020202020202};
  task.group = {0x0303030303030303, 0x0404040404040404};
  batch.records.push_back(record::Put{task});
  task.task = {0x8877665544332211, 0xaa99};
  task.number = 1001;
  task.asked_due = task.due = at_ms(1'699'999'999'999);
  batch.records.push_back(record::Put{task, 7});
  batch.records.push_back(record::Cancel{{0x1122334455667788, 0x99aa}, 1000});
  return batch;
}

TaskContent example_content() {
  TaskContent content;
  content.id = "order-7";
  content.target = "mail";
  content.content_type = "application/json";
  content.body = "{}";
  content.body_is_json = true;
  content.headers = {{"x-a", "1"}};
  content.expire_after = std::chrono::minutes(1);
  content.delay = std::chrono::minutes(30);
  content.created_at = at_ms(1'700'000'000'000);
  content.webhook_id = "msg_7";
  return content;
}

TEST(FormatDoc, worked_bytes_are_what_the_code_writes) {
  auto blocks = worked_bytes();
  std::string batch;
  encode_batch(example_batch(), batch);
  EXPECT_EQ(blocks["key"], hex(row_key(1000)));
  EXPECT_EQ(blocks["batch"], hex(batch));
  EXPECT_EQ(blocks["content"], hex(encode_content(example_content())));
  EXPECT_EQ(
      blocks["note"],
      hex(encode_note({at_ms(1'700'000'060'012), 2, 503, "503", at_ms(1'700'000'000'000), 1})));

  const TempDir temp;
  ASSERT_TRUE(SyncedMark::create(rocksdb::Env::Default(), temp / "", temp / "SYNCED", 1002));
  EXPECT_EQ(blocks["mark"], hex(read_bytes(temp / "SYNCED").substr(4096, 28)));
}

TEST(FormatDoc, worked_batch_decodes_to_what_the_document_says) {
  std::string batch;
  encode_batch(example_batch(), batch);
  const auto decoded = decode_batch(batch);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->records, example_batch().records);
}

}  // namespace
}  // namespace carillon
