// AsioScheduler: base/scheduler.h over one Boost.Asio io_context, for the running program.
//
// Owned by main; run() makes the calling thread the scheduler's thread. post(), stop() from any thread; after(), cancel(), on_signals() only before run() or on its thread.
// Does not start threads. An exception out of a task ends the program: recovery replays.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>

#include "gateway/base/scheduler.h"

namespace fedgate::app {

class AsioScheduler final : public Scheduler {
 public:
  AsioScheduler();
  ~AsioScheduler() override;

  void post(Task task) override;
  TimerId after(Duration delay, Task task) override;
  bool cancel(TimerId timer) override;

  // `handler` runs on the scheduler's thread for every one of these signals that arrives.
  void on_signals(std::initializer_list<int> signals, std::function<void(int)> handler);

  // Until stop().
  void run();
  void stop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace fedgate::app
