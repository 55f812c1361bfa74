#include "gateway/admin/admin_server.h"

#include <doctest/doctest.h>
#include <grpcpp/grpcpp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <fstream>
#include <future>
#include <mutex>
#include <sstream>
#include <thread>

#include "fedgate/v1/admin.grpc.pb.h"
#include "gateway/policy/load.h"
#include "gateway/store/memory_store.h"

using namespace fedgate;

namespace {

// Runs posted tasks on a thread of its own and timers never: enough for questions.
class ThreadScheduler final : public Scheduler {
 public:
  ThreadScheduler() : thread_([this] { run(); }) {}
  ~ThreadScheduler() override {
    post(Task());
    thread_.join();
  }
  void post(Task task) override {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    woken_.notify_one();
  }
  TimerId after(Duration, Task) override { return ++last_timer_; }
  bool cancel(TimerId) override { return true; }

  // Runs `work` there and waits.
  template <class Work>
  void there(Work work) {
    std::promise<void> done;
    post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

 private:
  void run() {
    for (;;) {
      std::unique_lock lock(mutex_);
      woken_.wait(lock, [&] { return !tasks_.empty(); });
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      if (!task) return;
      task();
    }
  }
  std::mutex mutex_;
  std::condition_variable woken_;
  std::deque<Task> tasks_;
  TimerId last_timer_ = 0;
  std::thread thread_;
};

}  // namespace

TEST_CASE("admin server: a core answers over a private unix socket") {
  std::ifstream file("config/policies/two-agencies.json");
  std::stringstream text;
  text << file.rdbuf();
  auto policy = policy::parse_policy(text.str(), "two-agencies.json");
  REQUIRE(policy);
  auto settings = std::make_shared<settings::Settings>();
  settings->gateway = "gw-test";
  settings::Network bund;
  bund.name = "bund";
  bund.adapter = "matrix";
  bund.realm = "de-fed";
  bund.matrix.emplace().domain = "bund.example";
  settings->networks["bund"] = bund;

  SystemClock clock;
  SeededRandom random(1);
  ThreadScheduler scheduler;
  store::MemoryStore store(scheduler);
  std::unique_ptr<pipeline::Core> core;
  scheduler.there([&] {
    core = std::make_unique<pipeline::Core>(pipeline::CoreParts{scheduler, clock, random, store, store, settings, *policy});
    CHECK(core->recover());
  });
  std::string path = "/tmp/fedgate-admin-" + std::to_string(::getpid()) + ".sock";
  CHECK_FALSE(admin::AdminServer::start({"127.0.0.1:1", "gw-test", "p@1"}, scheduler, *core));
  CHECK_FALSE(admin::AdminServer::start({"unix:/" + std::string(120, 'x'), "gw-test", "p@1"}, scheduler, *core));
  auto server = admin::AdminServer::start({"unix:" + path, "gw-test", "p@1"}, scheduler, *core);
  REQUIRE(server);
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);

  auto stub = v1::Admin::NewStub(grpc::CreateChannel("unix:" + path, grpc::InsecureChannelCredentials()));
  {
    grpc::ClientContext context;
    v1::StatusReply reply;
    CHECK(stub->Status(&context, {}, &reply).ok());
    CHECK(reply.gateway() == "gw-test");
    CHECK_FALSE(reply.ready());  // nobody speaks for bund
    CHECK(reply.problems_size() > 0);
  }
  {
    grpc::ClientContext context;
    v1::QueueReply reply;
    CHECK(stub->Queue(&context, {}, &reply).ok());
    REQUIRE(reply.networks_size() == 1);
    CHECK(reply.networks(0).network() == "bund");
    CHECK_FALSE(reply.networks(0).attached());
  }
  {
    grpc::ClientContext context;
    v1::DeadReply reply;
    CHECK(stub->DeadRetry(&context, {}, &reply).error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  }
  {
    grpc::ClientContext context;
    v1::SetLinkRequest request;
    request.set_id("x");
    request.set_state("exploded");
    v1::SetLinkReply reply;
    CHECK(stub->SetLink(&context, request, &reply).error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  }
  (*server)->stop();
  scheduler.there([&] { core.reset(); });
  ::unlink(path.c_str());
}
