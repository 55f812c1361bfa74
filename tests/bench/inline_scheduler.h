// A scheduler for measurements: the measuring thread itself runs what was posted, waiting for it when nothing is there. Timers run when due.
// post() from any thread; everything else from the measuring thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>

#include "gateway/base/scheduler.h"

namespace fedgate::bench {

class LoopScheduler final : public Scheduler {
 public:
  void post(Task task) override {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    wake_.notify_one();
  }
  TimerId after(Duration delay, Task task) override {
    timers_.emplace(std::pair(clock_.steady_now() + delay, ++last_), std::move(task));
    return last_;
  }
  bool cancel(TimerId timer) override {
    return std::erase_if(timers_, [&](const auto& entry) { return entry.first.second == timer; }) > 0;
  }

  void run_until(const std::function<bool()>& finished) {
    while (!finished()) {
      std::deque<Task> batch;
      {
        std::unique_lock lock(mutex_);
        if (tasks_.empty()) wake_.wait_for(lock, std::chrono::milliseconds(1), [&] { return !tasks_.empty(); });
        batch.swap(tasks_);
      }
      for (Task& task : batch) task();
      while (!timers_.empty() && timers_.begin()->first.first <= clock_.steady_now()) {
        Task task = std::move(timers_.begin()->second);
        timers_.erase(timers_.begin());
        task();
      }
    }
  }

 private:
  SystemClock clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  std::map<std::pair<SteadyTime, TimerId>, Task> timers_;
  TimerId last_ = 0;
};

}  // namespace fedgate::bench
