#include <doctest/doctest.h>

#include "tests/sim/simulation.h"

TEST_CASE("sim: whatever fails, nothing accepted is lost, forbidden, repeated or out of order") {
  std::uint64_t crashes = 0;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    auto verdict = fedgate::sim::simulate(seed, false);
    crashes += verdict.crashes;
    REQUIRE_MESSAGE(verdict.broken.empty(), "seed " << seed << ": " << verdict.broken);
  }
  CHECK(crashes > 1000);  // or the seeds do not test what they should
}

TEST_CASE("sim: the same seed gives the same run") {
  for (std::uint64_t seed : {7u, 8u, 9u}) CHECK(fedgate::sim::simulate(seed, false).trace_hash == fedgate::sim::simulate(seed, false).trace_hash);
}
