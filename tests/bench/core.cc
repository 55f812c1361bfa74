// The core in this process, no transport: submission, decision, journal, delivery, settlement; in memory and on SQLite.
#include <cstdlib>
#include <filesystem>

#include "gateway/base/random.h"
#include "gateway/pipeline/core.h"
#include "gateway/policy/load.h"
#include "gateway/store/memory_store.h"
#include "gateway/store/sqlite_store.h"
#include "tests/bench/inline_scheduler.h"
#include "tests/bench/measure.h"
#include "tests/bench/sample.h"

#include <fstream>
#include <sstream>

namespace fedgate::bench {
namespace {

// Plays both adapters: answers every delivery at once as delivered and counts.
class CountingPort final : public pipeline::AdapterPort {
 public:
  std::uint64_t verdicts = 0;
  std::vector<model::DeliveryId> undelivered;
  void verdict(pipeline::SubmitVerdict verdict) override {
    if (verdict.outcome != pipeline::SubmitVerdict::Outcome::kAccepted) std::abort();
    ++verdicts;
  }
  void deliver(const pipeline::DeliveryRequest& request) override { undelivered.push_back(request.delivery.id); }
  void grant_submit_credit(std::uint32_t) override {}
  void room_wanted(const pipeline::RoomWanted&) override {}
  void state_written(pipeline::StateWritten) override {}
  void command_reply(pipeline::CommandReply) override {}
};

std::shared_ptr<const settings::Settings> bench_settings() {
  auto made = std::make_shared<settings::Settings>();
  made->gateway = "bench";
  settings::Network bund{.name = "bund", .adapter = "matrix", .realm = "de-fed", .domains = {{"bund.example", "de-fed"}},
                         .protection = model::Protection::kTls, .default_level = model::Rank::kInternal};
  settings::Network bpol{.name = "bpol", .adapter = "xmpp", .realm = "de-fed", .domains = {{"polizei.example", "de-fed"}},
                         .protection = model::Protection::kTls, .default_level = model::Rank::kInternal};
  made->networks = {{"bund", bund}, {"bpol", bpol}};
  return made;
}

double core_rate(store::Log& log, store::KeyValue& key_value, LoopScheduler& scheduler, double seconds) {
  std::ifstream file("config/policies/two-agencies.json");
  std::ostringstream text;
  text << file.rdbuf();
  auto policy = policy::parse_policy(text.str(), "two-agencies.json");
  if (!policy) std::abort();
  SystemClock clock;
  SeededRandom random(1);
  pipeline::Core core({scheduler, clock, random, log, key_value, bench_settings(), *policy});
  if (!core.recover()) std::abort();
  CountingPort matrix;
  CountingPort xmpp;
  pipeline::Hello hello_matrix{"matrix", "bench", {"bund"}, {{"bund", {{{"text", render::Level::kFull}}, 0, 0, 64, false}}}};
  pipeline::Hello hello_xmpp{"xmpp", "bench", {"bpol"}, {{"bpol", {{{"text", render::Level::kFull}}, 0, 0, 256, false}}}};
  if (!core.attach(matrix, hello_matrix) || !core.attach(xmpp, hello_xmpp)) std::abort();
  core.network_status(matrix, {"bund", true, {}});
  core.network_status(xmpp, {"bpol", true, {}});
  core.grant_deliver_credit(xmpp, 1u << 30);
  constexpr std::uint64_t kStep = 1024;
  std::uint64_t number = 0;
  std::uint64_t settled = 0;
  double per_second = rate(seconds, kStep, [&] {
    for (std::uint64_t i = 0; i < kStep; ++i) {
      ++number;
      core.submit(matrix, {number, sample_envelope(number, 600)});
    }
    scheduler.run_until([&] {
      std::vector<model::DeliveryId> batch;
      batch.swap(xmpp.undelivered);
      for (const auto& id : batch) {
        ++settled;
        pipeline::DeliveryReport report;
        report.delivery = id;
        report.outcome = pipeline::DeliveryReport::Outcome::kDelivered;
        core.report(xmpp, std::move(report));
      }
      return matrix.verdicts == number && settled == number;
    });
  });
  core.detach(matrix);
  core.detach(xmpp);
  return per_second;
}

}  // namespace

void measure_core(const Calibration& calibration, const std::string& folder, bool smoke, std::vector<Row>& rows) {
  double seconds = smoke ? 0.05 : 1.0;
  auto add = [&](std::string name, double per_second) {
    rows.push_back({std::move(name), per_second, 1e6 / per_second, per_second / calibration.sha256_1k_per_second, "sha256 of 1 KiB"});
  };
  {
    LoopScheduler scheduler;
    store::MemoryStore store(scheduler);
    add("core: submit to settled, memory store", core_rate(store, store, scheduler, seconds));
  }
  {
    LoopScheduler scheduler;
    auto store = store::SqliteStore::open(std::filesystem::path(folder) / "core.db", scheduler);
    if (!store) std::abort();
    add("core: submit to settled, SQLite", core_rate(**store, **store, scheduler, seconds));
  }
}

}  // namespace fedgate::bench
