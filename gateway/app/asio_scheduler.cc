#include "gateway/app/asio_scheduler.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unordered_map>
#include <utility>

namespace fedgate::app {

namespace asio = boost::asio;

struct AsioScheduler::Parts {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard{context.get_executor()};
  asio::signal_set signals{context};
  std::function<void(int)> on_signal;
  TimerId last_timer = 0;
  std::unordered_map<TimerId, std::unique_ptr<asio::steady_timer>> timers;

  void wait_signal() {
    signals.async_wait([this](const boost::system::error_code& failed, int number) {
      if (failed) return;
      on_signal(number);
      wait_signal();
    });
  }
};

AsioScheduler::AsioScheduler() : parts_(std::make_unique<Parts>()) {}
AsioScheduler::~AsioScheduler() = default;

void AsioScheduler::post(Task task) {
  asio::post(parts_->context, [task = std::move(task)]() mutable { task(); });
}

Scheduler::TimerId AsioScheduler::after(Duration delay, Task task) {
  TimerId id = ++parts_->last_timer;
  auto timer = std::make_unique<asio::steady_timer>(parts_->context, std::chrono::duration_cast<asio::steady_timer::duration>(delay));
  // The map decides, not the error code: a timer that expired and was then cancelled still arrives here without an error.
  timer->async_wait([this, id, task = std::move(task)](const boost::system::error_code&) mutable {
    if (parts_->timers.erase(id) == 0) return;
    task();
  });
  parts_->timers.emplace(id, std::move(timer));
  return id;
}

bool AsioScheduler::cancel(TimerId timer) {
  // Destroying the timer cancels its wait; the handler then finds nothing and returns.
  return parts_->timers.erase(timer) == 1;
}

void AsioScheduler::on_signals(std::initializer_list<int> signals, std::function<void(int)> handler) {
  for (int number : signals) parts_->signals.add(number);
  parts_->on_signal = std::move(handler);
  parts_->wait_signal();
}

void AsioScheduler::run() { parts_->context.run(); }
void AsioScheduler::stop() { parts_->context.stop(); }

}  // namespace fedgate::app
