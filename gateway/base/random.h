// Chance as an argument. SystemRandom is cryptographically strong; SeededRandom (SplitMix64) is for jitter in simulations.
#pragma once

#include <cstdint>
#include <string>

namespace fedgate {

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;

  // Uniform in [0, bound); bound > 0. The bias of the modulus is irrelevant for what this is used for (jitter, choices in tests).
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  // Uniform in [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
};

class SystemRandom final : public Random {
 public:
  std::uint64_t next() override;
  // `count` random bytes, for secrets and nonces. Aborts when the system has no randomness.
  static std::string bytes(std::size_t count);
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

}  // namespace fedgate
