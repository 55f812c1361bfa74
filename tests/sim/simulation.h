// One seeded run of the real core against faulty adapters, a faulty store and crashes, and the check of what must hold afterwards (design §5).
// Owned by the sim program and sim_test; one thread. Says what broke in words; an empty string is success.
#pragma once

#include <cstdint>
#include <string>

namespace fedgate::sim {

struct Verdict {
  std::string broken;          // empty = everything held
  std::uint64_t trace_hash = 0;
  std::uint64_t messages = 0;
  std::uint64_t crashes = 0;
  std::uint64_t deliveries = 0;
};

Verdict simulate(std::uint64_t seed, bool verbose);

}  // namespace fedgate::sim
