#include <doctest/doctest.h>

#include <set>

#include "gateway/base/backoff.h"
#include "gateway/base/base32.h"
#include "gateway/base/ghost_name.h"
#include "gateway/base/hash.h"
#include "gateway/base/id.h"
#include "gateway/base/json_document.h"
#include "gateway/base/utf8.h"

namespace fedgate {
namespace {

std::string random_text(SeededRandom& random, std::size_t code_points_max) {
  std::string out;
  for (std::uint64_t i = 1 + random.below(code_points_max); i > 0; --i) {
    char32_t c = static_cast<char32_t>(random.below(4) != 0 ? 0x20 + random.below(0x60) : 0xa0 + random.below(0xd000));
    append_code_point(out, c);
  }
  return out;
}

TEST_CASE("ghost name: the examples of the design") {
  CHECK(make_ghost_name("bpol", "anna@polizei.example", 255) == "bpol.anna=40polizei.example");
  CHECK(make_ghost_name("bund", "@alice:bund.example", 1023) == "bund.=40alice=3abund.example");
}

TEST_CASE("ghost name: what was made is read back, and no two addresses share a name") {
  SeededRandom random(1);
  std::set<std::string> names;
  std::set<std::string> ids;
  for (int i = 0; i < 5000; ++i) {
    std::string id = random_text(random, 20);
    std::string name = make_ghost_name("net-1", id, 1023);
    auto parsed = parse_ghost_name(name);
    REQUIRE(parsed.has_value());
    CHECK(parsed->network == "net-1");
    CHECK(parsed->native_id == id);
    ids.insert(id);
    names.insert(name);
  }
  CHECK(names.size() == ids.size());
}

TEST_CASE("ghost name: too long becomes a digest that says so") {
  std::string name = make_ghost_name("mail", std::string(100, 'x') + "@example.org", 64);
  CHECK(name.size() == 4 + 2 + 26);
  auto parsed = parse_ghost_name(name);
  REQUIRE(parsed.has_value());
  CHECK(parsed->native_id.empty());
  CHECK(parsed->hashed.size() == 26);
}

TEST_CASE("ghost name: every other spelling is refused") {
  for (const char* name : {"", "nodot", ".x", "bpol.", "Bpol.x", "bpol.A", "bpol.=4", "bpol.=", "bpol.=4G", "bpol.=4A", "bpol.=61", "bpol._short", "bpol.a b",
                           "bpol.=ff", "bpol.=c3", "1net.x", "bpol._AAAAAAAAAAAAAAAAAAAAAAAAAA"})
    CHECK_MESSAGE(!parse_ghost_name(name), name);
}

TEST_CASE("base32: any bytes come back, foreign text is refused") {
  SeededRandom random(2);
  for (int i = 0; i < 500; ++i) {
    std::string bytes;
    for (std::uint64_t n = random.below(40); n > 0; --n) bytes.push_back(static_cast<char>(random.next()));
    CHECK(base32_decode(base32_encode(bytes)) == bytes);
  }
  CHECK(base32_encode("foobar") == "mzxw6ytboi");
  CHECK(base32_decode("MZXW6YTBOI") == "foobar");
  for (const char* text : {"a", "mz1", "mz=", "mzx", "mf"}) CHECK_MESSAGE((base32_decode(text).value_or("?") != "f"), text);
}

TEST_CASE("id: text and bytes round-trip, other lengths are refused") {
  using Id = Id128<struct TestTag>;
  std::string raw = "0123456789abcdef";
  auto id = Id::from_bytes(raw);
  REQUIRE(id.has_value());
  CHECK(id->text().size() == 26);
  CHECK(Id::from_text(id->text()) == id);
  CHECK_FALSE(Id::from_bytes("short").has_value());
  CHECK_FALSE(Id::from_text(std::string(25, 'a')).has_value());
  CHECK(Id().empty());
}

TEST_CASE("hash: parts do not run into each other; known vector of SHA-256") {
  CHECK(sha256_of_parts({"ab", "c"}) != sha256_of_parts({"a", "bc"}));
  Sha256 empty = sha256("");
  CHECK(hex({reinterpret_cast<const char*>(empty.data()), empty.size()}) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(equal_in_constant_time("abc", "abc"));
  CHECK_FALSE(equal_in_constant_time("abc", "abd"));
  CHECK_FALSE(equal_in_constant_time("abc", "abcd"));
}

TEST_CASE("utf8: strict about overlong forms, surrogates and ends") {
  for (const char* good : {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x99\x82", "\xf4\x8f\xbf\xbf"}) CHECK(is_valid_utf8(good));
  for (const char* bad : {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5", "\xe2\x82", "\xff"}) {
    CHECK_FALSE(is_valid_utf8(bad));
    CHECK(is_valid_utf8(replace_invalid_utf8(bad)));
  }
  CHECK(code_points("a\xc3\xa9\xf0\x9f\x99\x82") == 3);
}

TEST_CASE("back-off: grows to its longest pause, with jitter in its upper half, and starts anew after a success") {
  SeededRandom random(3);
  Backoff backoff(std::chrono::milliseconds(100), std::chrono::seconds(1));
  for (int i = 0; i < 40; ++i) {
    auto ceiling = std::min<std::int64_t>(100'000'000LL << std::min(i, 20), 1'000'000'000LL);
    auto pause = backoff.next(random).count();
    CHECK(pause >= ceiling / 2);
    CHECK(pause <= ceiling);
  }
  backoff.reset();
  CHECK(backoff.next(random).count() <= 100'000'000);
}

TEST_CASE("json: hostile documents are findings, not crashes") {
  std::string deep(100000, '[');
  for (const std::string& text : {deep, std::string("\xff"), std::string("{\"a\":"), std::string("nul"), std::string("[1,]"), std::string("{} x"), std::string()}) {
    std::vector<Finding> findings;
    CHECK(parse_json_document(text, "f", JsonComments::kAllowed, findings).root == nullptr);
    CHECK(findings.size() == 1);
  }
}

}  // namespace
}  // namespace fedgate
