// Time as an argument. Nothing outside base/ asks the system for the time, so that a whole gateway runs on a simulated clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace fedgate {

using Duration = std::chrono::nanoseconds;
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;
  // Never goes back; for waiting and measuring.
  virtual SteadyTime steady_now() const = 0;
  // Milliseconds since 1970-01-01 UTC; may jump; for people and records.
  virtual std::int64_t wall_ms() const = 0;
};

class SystemClock final : public Clock {
 public:
  SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }
  std::int64_t wall_ms() const override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
};

}  // namespace fedgate
