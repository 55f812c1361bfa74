// Exponential back-off with full-range jitter: pause n is uniform in [base*2^n / 2, base*2^n], never above `longest`.
// A value owned by whoever waits; reset() on success.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gateway/base/clock.h"
#include "gateway/base/random.h"

namespace fedgate {

class Backoff {
 public:
  Backoff(Duration base, Duration longest) : base_(base), longest_(longest) {}

  Duration next(Random& random) {
    auto ceiling = std::min<std::int64_t>(base_.count() << std::min<std::uint32_t>(attempt_, 20), longest_.count());
    ++attempt_;
    return Duration(ceiling / 2 + static_cast<std::int64_t>(random.unit() * static_cast<double>(ceiling / 2)));
  }
  void reset() { attempt_ = 0; }
  std::uint32_t attempts() const { return attempt_; }

 private:
  Duration base_;
  Duration longest_;
  std::uint32_t attempt_ = 0;
};

}  // namespace fedgate
