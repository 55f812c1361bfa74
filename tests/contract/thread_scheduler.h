// A scheduler whose tasks run when the test asks for it: run_until(condition) executes what was posted and waits for more. Timers are not needed by stores.
// post() from any thread; the rest from the test's thread. A condition that does not come true within 30 s fails the test instead of hanging it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <functional>
#include <mutex>

#include "gateway/base/scheduler.h"

namespace fedgate::contract {

class ThreadScheduler final : public Scheduler {
 public:
  void post(Task task) override {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    wake_.notify_one();
  }
  TimerId after(Duration, Task) override { std::abort(); }
  bool cancel(TimerId) override { std::abort(); }

  [[nodiscard]] bool run_until(const std::function<bool()>& condition) {
    SystemClock clock;
    auto limit = clock.steady_now() + std::chrono::seconds(30);
    while (!condition()) {
      Task task;
      {
        std::unique_lock lock(mutex_);
        if (!wake_.wait_until(lock, limit, [&] { return !tasks_.empty(); })) return false;
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
      task();
    }
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
};

}  // namespace fedgate::contract
