// The one way of the pipeline to run something later. Everything mutable of a shard runs on its scheduler's single thread.
//
// post() may be called from any thread; after() and cancel() only from the scheduler's own. Two implementations: Boost.Asio in gateway/app, the
// simulated one in tests/sim, where time passes only when nothing is left to do.
#pragma once

#include <cstdint>
#include <functional>

#include "gateway/base/clock.h"

namespace fedgate {

using Task = std::move_only_function<void()>;

class Scheduler {
 public:
  using TimerId = std::uint64_t;  // never 0

  virtual ~Scheduler() = default;
  virtual void post(Task task) = 0;
  virtual TimerId after(Duration delay, Task task) = 0;
  // The task will not run; false if it ran already or is unknown.
  virtual bool cancel(TimerId timer) = 0;
};

}  // namespace fedgate
