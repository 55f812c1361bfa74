#include "gateway/normalise/text.h"

#include <doctest/doctest.h>

#include "gateway/base/utf8.h"

namespace fedgate::normalise {
namespace {

TEST_CASE("normalise: text keeps what people mean and loses what breaks a peer") {
  struct Case { std::string in, out; };
  for (const auto& [in, out] : std::initializer_list<Case>{
           {"plain\ttext\n", "plain\ttext\n"},
           {"a\r\nb\rc\r", "a\nb\nc\n"},
           {"e\xcc\x81", "\xc3\xa9"},                               // combining accent becomes NFC
           {"bell\x07", "bell\xef\xbf\xbd"},
           {std::string("nul\0", 4), "nul\xef\xbf\xbd"},
           {"\xef\xbf\xbf", "\xef\xbf\xbd"},                         // U+FFFF
           {"\xc2\x85", "\xef\xbf\xbd"},                             // C1 control
           {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
           {"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x92", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x92"},  // family of code points by joiner stays
           {"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"}})
    CHECK(normalise_text(in) == out);
}

TEST_CASE("normalise: is idempotent and always valid, whatever bytes come") {
  std::uint64_t state = 7;
  for (int round = 0; round < 2000; ++round) {
    std::string bytes;
    for (int i = 0; i < 24; ++i) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      bytes.push_back(static_cast<char>(state >> 56));
    }
    std::string once = normalise_text(bytes);
    CHECK(is_valid_utf8(once));
    CHECK(normalise_text(once) == once);
    CHECK(normalise_display_name(bytes).size() <= kDisplayNameBytesMax);
  }
}

TEST_CASE("normalise: a name cannot hide its direction, its line breaks or its length") {
  CHECK(normalise_display_name("  Anna\xe2\x80\xae Meier\n") == "Anna Meier");
  CHECK(normalise_display_name("\xe2\x80\x8b") == "");
  CHECK(normalise_display_name(std::string(1000, 'x')).size() == 256);
}

}  // namespace
}  // namespace fedgate::normalise
