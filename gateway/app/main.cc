// fedgate-core: one process that decides, stores and hands over. Everything is made here, in the order in which it is needed, and ends in the opposite order.
#include <signal.h>
#include <sys/stat.h>

#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "gateway/admin/admin_server.h"
#include "gateway/admin/metrics_endpoint.h"
#include "gateway/admin/metrics_text.h"
#include "gateway/app/asio_scheduler.h"
#include "gateway/app/data_dir.h"
#include "gateway/app/service_manager.h"
#include "gateway/base/clock.h"
#include "gateway/base/logger.h"
#include "gateway/base/random.h"
#include "gateway/link/link_server.h"
#include "gateway/pipeline/core.h"
#include "gateway/settings/load.h"
#include "gateway/store/sqlite_store.h"

namespace fedgate::app {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr int kExitConfiguration = 78;

log::Level level_named(const std::string& name) {
  if (name == "debug") return log::Level::kDebug;
  if (name == "warn") return log::Level::kWarn;
  if (name == "error") return log::Level::kError;
  return log::Level::kInfo;
}

int failed(const Error& error) {
  log::error("core", error.message);
  return kExitFailed;
}

// How a monitoring system's question becomes an answer: copied on the shard's thread, written out on the asker's.
admin::MetricsEndpoint::Ask metrics_of(Scheduler& scheduler, pipeline::Core& core, admin::BuildFacts facts) {
  return [&scheduler, &core, facts](admin::MetricsEndpoint::Answer answer) {
    scheduler.post([&core, facts, answer = std::move(answer)] {
      auto stats = std::make_shared<const pipeline::Stats>(core.stats());
      answer({[stats, facts] { return admin::metrics_text(*stats, facts, admin::ProcessStats::read()); }, core.problems()});
    });
  };
}

int run(const std::string& file) {
  auto loaded = settings::load(file);
  if (!loaded.settings || !loaded.policy) {
    for (const auto& finding : loaded.findings) std::cerr << finding.text() << "\n";
    return kExitConfiguration;
  }
  auto settings = loaded.settings;
  auto policy = loaded.policy;
  log::start("fedgate-core", level_named(settings->log_level));
  log::info("core", "starting", {{"gateway", settings->gateway}, {"version", FEDGATE_VERSION}, {"policy", policy->name()}, {"policy_sha256", policy->sha256_hex()}});

  auto data_dir = DataDir::open(settings->data_dir);
  if (!data_dir) return failed(data_dir.error());
  SystemClock clock;
  SystemRandom random;
  AsioScheduler scheduler;
  auto store = store::SqliteStore::open(settings->data_dir / "journal.sqlite", scheduler);
  if (!store) return failed(store.error());
  pipeline::Core core({.scheduler = scheduler, .clock = clock, .random = random, .log = **store, .key_value = **store, .settings = settings, .policy = policy});
  if (auto recovered = core.recover(); !recovered) return failed(recovered.error());

  auto link = link::LinkServer::start({.address = settings->link, .settings = settings}, scheduler, core);
  if (!link) return failed(link.error());
  auto admin_server = admin::AdminServer::start({.address = settings->admin, .gateway = settings->gateway, .policy = policy->name()}, scheduler, core);
  if (!admin_server) return failed(admin_server.error());
  admin::BuildFacts facts{.gateway = settings->gateway, .version = FEDGATE_VERSION, .policy_id = policy->id(), .policy_sha256 = policy->sha256_hex(), .policy_version = policy->version()};
  auto metrics = admin::MetricsEndpoint::start(settings->metrics, metrics_of(scheduler, core, facts));
  if (!metrics) return failed(metrics.error());

  // Calls in flight are answered by the scheduler, so it must run while the servers end: hence the thread.
  std::thread stopper;
  scheduler.on_signals({SIGTERM, SIGINT}, [&](int number) {
    if (stopper.joinable()) return;
    log::info("core", "stopping", {{"signal", number}});
    notify_service_manager("STOPPING=1");
    stopper = std::thread([&] {
      (*link)->stop();
      (*admin_server)->stop();
      (*metrics)->stop();
      scheduler.stop();
    });
  });
  log::info("core", "listening", {{"link", settings->link}, {"admin", settings->admin}, {"metrics", settings->metrics}});
  notify_service_manager("READY=1\nSTATUS=policy " + policy->name());
  scheduler.run();
  stopper.join();
  log::info("core", "stopped");
  return 0;
}

}  // namespace
}  // namespace fedgate::app

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error like a full disk, not an end
  ::umask(0077);
  if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
    std::cout << "fedgate-core " FEDGATE_VERSION "\n";
    return 0;
  }
  if (argc != 3 || std::strcmp(argv[1], "-c") != 0) {
    std::cerr << "usage: fedgate-core -c FILE\n";
    return fedgate::app::kExitUsage;
  }
  return fedgate::app::run(argv[2]);
}
