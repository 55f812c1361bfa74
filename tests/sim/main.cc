// sim --seed N --seeds M [--verbose]: runs M seeds from N on; the first that breaks something is printed and ends the run with 1.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/sim/simulation.h"

int main(int argc, char** argv) {
  std::uint64_t seed = 1, seeds = 1000, messages = 0, crashes = 0, deliveries = 0;
  bool verbose = false;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--seed") && i + 1 < argc) seed = std::strtoull(argv[++i], nullptr, 10);
    else if (!std::strcmp(argv[i], "--seeds") && i + 1 < argc) seeds = std::strtoull(argv[++i], nullptr, 10);
    else if (!std::strcmp(argv[i], "--verbose")) verbose = true;
    else return std::fprintf(stderr, "usage: sim [--seed N] [--seeds M] [--verbose]\n"), 64;
  }
  for (std::uint64_t s = seed; s < seed + seeds; ++s) {
    auto verdict = fedgate::sim::simulate(s, verbose);
    messages += verdict.messages;
    crashes += verdict.crashes;
    deliveries += verdict.deliveries;
    if (verdict.broken.empty()) continue;
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(s), verdict.broken.c_str());
    return 1;
  }
  std::printf("%llu seeds held: %llu messages, %llu crashes, %llu deliveries\n", static_cast<unsigned long long>(seeds),
              static_cast<unsigned long long>(messages), static_cast<unsigned long long>(crashes), static_cast<unsigned long long>(deliveries));
}
