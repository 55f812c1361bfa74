#include "gateway/render/split.h"

#include <doctest/doctest.h>

#include "gateway/base/utf8.h"

namespace fedgate::render {
namespace {

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) out += part;
  return out;
}

TEST_CASE("split: short text and no limit give one part") {
  CHECK(split_text("", 10) == std::vector<std::string>{""});
  CHECK(split_text("abc", 3).size() == 1);
  CHECK(split_text(std::string(100000, 'x'), 0).size() == 1);
}

TEST_CASE("split: no byte is lost, no part is too long, no grapheme is torn") {
  std::string family = "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7";  // one grapheme of 18 bytes
  std::string text;
  for (int i = 0; i < 300; ++i) text += i % 3 == 0 ? family : i % 3 == 1 ? "e\xcc\x81" : "x";
  for (std::size_t limit : {20u, 33u, 100u, 1000u}) {
    auto parts = split_text(text, limit);
    CHECK(joined(parts) == text);
    for (const auto& part : parts) {
      CHECK(part.size() <= limit);
      CHECK(is_valid_utf8(part));
      CHECK_FALSE(part.starts_with("\xe2\x80\x8d"));
      CHECK_FALSE(part.starts_with("\xcc\x81"));
    }
  }
}

TEST_CASE("split: a line break or a blank in the last quarter is preferred") {
  auto parts = split_text("aaaaaaaaaaaaaaa\nbbbbbbbb", 20);
  CHECK(parts[0] == "aaaaaaaaaaaaaaa\n");
  CHECK(split_text("aaaaaaaaaaaaaaaaa bbbbbbbb", 20)[0] == "aaaaaaaaaaaaaaaaa ");
}

TEST_CASE("split: a blank that carries a combining mark is no place to cut") {
  auto parts = split_text("aaaaaaaaaaaaaaaaa \xcc\x81" "bbbbbbbb", 20);
  for (const auto& part : parts) CHECK_FALSE(part.starts_with("\xcc\x81"));
}

TEST_CASE("split: a grapheme larger than a part is cut between code points") {
  std::string zalgo = "a";
  for (int i = 0; i < 5000; ++i) zalgo += "\xcc\x81";
  auto parts = split_text(zalgo, 16);
  CHECK(joined(parts) == zalgo);
  for (const auto& part : parts) CHECK((part.size() <= 16 && is_valid_utf8(part)));
}

}  // namespace
}  // namespace fedgate::render
