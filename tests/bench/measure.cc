#include "tests/bench/measure.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "gateway/base/hash.h"

namespace fedgate::bench {

double rate(double seconds, std::uint64_t per_step, const std::function<void()>& step) {
  using Clock = std::chrono::steady_clock;
  double best = 0;
  for (int round = 0; round < 3; ++round) {
    std::uint64_t done = 0;
    auto start = Clock::now();
    double elapsed = 0;
    do {
      step();
      done += per_step;
      elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    } while (elapsed < seconds);
    best = std::max(best, static_cast<double>(done) / elapsed);
  }
  return best;
}

Calibration calibrate(const std::string& folder, bool smoke) {
  Calibration result;
  double seconds = smoke ? 0.05 : 0.5;
  std::string kilobyte(1024, 'x');
  volatile std::uint8_t sink = 0;
  result.sha256_1k_per_second = rate(seconds, 100, [&] {
    for (int i = 0; i < 100; ++i) sink = sha256(kilobyte)[0];
  });
  std::string path = folder + "/calibration";
  int fd = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) std::abort();
  std::string page(4096, 'x');
  result.fdatasync_4k_per_second = rate(seconds, 1, [&] {
    if (::write(fd, page.data(), page.size()) < 0 || ::fdatasync(fd) != 0) std::abort();
  });
  ::close(fd);
  ::unlink(path.c_str());
  return result;
}

}  // namespace fedgate::bench
