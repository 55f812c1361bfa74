#include "gateway/app/asio_scheduler.h"

#include <doctest/doctest.h>

#include <csignal>
#include <string>
#include <thread>

using fedgate::app::AsioScheduler;
using std::chrono::milliseconds;

TEST_CASE("scheduler: tasks run in the order in which they were posted, also from another thread") {
  AsioScheduler scheduler;
  std::string order;
  scheduler.post([&] { order += 'a'; });
  scheduler.post([&] { order += 'b'; });
  std::thread other([&] {
    scheduler.post([&] {
      order += 'c';
      scheduler.stop();
    });
  });
  other.join();
  scheduler.run();
  CHECK(order == "abc");
}

TEST_CASE("scheduler: timers fire in the order of their times") {
  AsioScheduler scheduler;
  std::string order;
  scheduler.after(milliseconds(20), [&] { order += '2'; scheduler.stop(); });
  scheduler.after(milliseconds(1), [&] { order += '1'; });
  scheduler.run();
  CHECK(order == "12");
}

TEST_CASE("scheduler: a cancelled timer never runs, also when it had expired already") {
  AsioScheduler scheduler;
  bool ran = false;
  auto expired = scheduler.after(milliseconds(0), [&] { ran = true; });
  scheduler.post([&] {
    CHECK(scheduler.cancel(expired));
    CHECK_FALSE(scheduler.cancel(expired));
    CHECK_FALSE(scheduler.cancel(999));
  });
  scheduler.after(milliseconds(10), [&] { scheduler.stop(); });
  scheduler.run();
  CHECK_FALSE(ran);
}

TEST_CASE("scheduler: a signal arrives on its thread") {
  AsioScheduler scheduler;
  int got = 0;
  scheduler.on_signals({SIGUSR1}, [&](int number) {
    got = number;
    scheduler.stop();
  });
  scheduler.post([] { std::raise(SIGUSR1); });
  scheduler.run();
  CHECK(got == SIGUSR1);
}
