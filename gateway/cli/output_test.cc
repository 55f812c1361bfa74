#include "gateway/cli/output.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <time.h>

using namespace fedgate::cli;

TEST_CASE("output: tables are aligned by code points and have no trailing blanks") {
  CHECK(table({"network", "n"}, {{"bund", "1"}, {"münchen", "22"}, {"x", ""}}) ==
        "network  n\n"
        "bund     1\n"
        "münchen  22\n"
        "x        -\n");
}

TEST_CASE("output: foreign text cannot drive the terminal") {
  CHECK(printable("a\x1b[2Jb\nc\x7f\xff") == "a\uFFFD[2Jb\uFFFDc\uFFFD\uFFFD");
  CHECK(printable("\u202eabc") == "\uFFFDabc");
  CHECK(printable("grüße") == "grüße");
}

TEST_CASE("output: durations are readable at every size") {
  struct { std::int64_t ms; const char* text; } cases[] = {
      {0, "0 ms"}, {999, "999 ms"}, {1000, "1.0 s"}, {12345, "12.3 s"}, {303'000, "5 min 3 s"}, {7'500'000, "2 h 5 min"}, {273'600'000, "3 d 4 h"}, {-5, "-5 ms"}};
  for (auto& c : cases) CHECK(duration(c.ms) == c.text);
}

TEST_CASE("output: times are local and have milliseconds") {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  CHECK(local_time(1'772'373'906'789) == "2026-03-01 14:05:06.789");
  CHECK(local_time(0) == "-");
}
