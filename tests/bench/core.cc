// The core in this process, no transport: submission, decision, journal, delivery, settlement; in memory and on SQLite.
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "gateway/base/random.h"
#include "gateway/pipeline/core.h"
#include "gateway/pipeline/correlation.h"
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

std::shared_ptr<const policy::Policy> bench_policy() {
  std::ifstream file("config/policies/two-agencies.json");
  std::ostringstream text;
  text << file.rdbuf();
  auto policy = policy::parse_policy(text.str(), "two-agencies.json");
  if (!policy) std::abort();
  return *policy;
}

std::shared_ptr<const settings::Settings> bench_settings() {
  auto made = std::make_shared<settings::Settings>();
  made->gateway = "bench";
  settings::Network bund{.name = "bund", .adapter = "matrix", .realm = "de-fed", .domains = {{"bund.example", "de-fed"}},
                         .protection = model::Protection::kTls, .default_level = model::Rank::kInternal};
  settings::Network bpol{.name = "bpol", .adapter = "xmpp", .realm = "de-fed", .domains = {{"polizei.example", "de-fed"}},
                         .protection = model::Protection::kTls, .default_level = model::Rank::kInternal};
  made->networks = {{"bund", bund}, {"bpol", bpol}};
  made->limits.queue_per_network_max = 100'000'000;
  return made;
}

// A core on a store, with both adapters attached.
struct Running {
  SystemClock clock;
  SeededRandom random{1};
  pipeline::Core core;
  CountingPort matrix, xmpp;
  std::uint64_t number = 0, settled = 0;
  double recovery_seconds = 0;

  Running(store::Log& log, store::KeyValue& key_value, LoopScheduler& scheduler) : core({scheduler, clock, random, log, key_value, bench_settings(), bench_policy()}) {
    auto began = clock.steady_now();
    if (!core.recover()) std::abort();
    recovery_seconds = std::chrono::duration<double>(clock.steady_now() - began).count();
    pipeline::Hello hello_matrix{"matrix", "bench", {"bund"}, {{"bund", {{{"text", render::Level::kFull}}, 0, 0, 64, false}}}};
    pipeline::Hello hello_xmpp{"xmpp", "bench", {"bpol"}, {{"bpol", {{{"text", render::Level::kFull}}, 0, 0, 256, false}}}};
    if (!core.attach(matrix, hello_matrix) || !core.attach(xmpp, hello_xmpp)) std::abort();
    core.network_status(matrix, {"bund", true, {}});
    core.network_status(xmpp, {"bpol", true, {}});
  }
  ~Running() {
    core.detach(matrix);
    core.detach(xmpp);
  }

  // Submits so many and returns when they are accepted and, if the XMPP side takes them, settled.
  void step(LoopScheduler& scheduler, std::uint64_t count, bool settle) {
    for (std::uint64_t i = 0; i < count; ++i) {
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
      return matrix.verdicts == number && (!settle || settled == number);
    });
  }
};

constexpr std::uint64_t kStep = 1024;

double core_rate(store::Log& log, store::KeyValue& key_value, LoopScheduler& scheduler, double seconds) {
  Running running(log, key_value, scheduler);
  running.core.grant_deliver_credit(running.xmpp, 1u << 30);
  return rate(seconds, kStep, [&] { running.step(scheduler, kStep, true); });
}

// How long a start takes on a journal or history that an earlier life filled.
double recovery_seconds(const std::filesystem::path& file, std::uint64_t messages, bool settled) {
  for (bool fill : {true, false}) {
    LoopScheduler scheduler;
    auto store = store::SqliteStore::open(file, scheduler);
    if (!store) std::abort();
    Running running(**store, **store, scheduler);
    if (!fill) return running.recovery_seconds;
    if (settled) running.core.grant_deliver_credit(running.xmpp, 1u << 30);
    while (running.number < messages) running.step(scheduler, kStep, settled);
    auto until = running.clock.steady_now() + std::chrono::seconds(2);  // what ended is written to the history
    scheduler.run_until([&] { return running.clock.steady_now() > until; });
  }
  return 0;
}

}  // namespace

void measure_core(const Calibration& calibration, const std::string& folder, bool smoke, std::vector<Row>& rows) {
  double seconds = smoke ? 0.05 : 1.0;
  auto add = [&](std::string name, double per_second, double target, std::string note = {}) {
    rows.push_back({std::move(name), per_second, 1e6 / per_second, per_second / calibration.sha256_1k_per_second, "sha256 of 1 KiB", target / kReferenceSha256, std::move(note)});
  };
  {
    LoopScheduler scheduler;
    store::MemoryStore store(scheduler);
    add("core: submit to settled, memory store", core_rate(store, store, scheduler, seconds), 150000);
  }
  {
    LoopScheduler scheduler;
    auto store = store::SqliteStore::open(std::filesystem::path(folder) / "core.db", scheduler);
    if (!store) std::abort();
    add("core: submit to settled, SQLite", core_rate(**store, **store, scheduler, seconds), 0);
  }
  std::uint64_t messages = smoke ? 5000 : 1000000;
  for (bool settled : {false, true}) {
    std::filesystem::path file = std::filesystem::path(folder) / (settled ? "history.db" : "journal.db");
    double took = recovery_seconds(file, messages, settled);
    char note[96];
    std::snprintf(note, sizeof note, "%llu in %.2f s", static_cast<unsigned long long>(messages), took);
    add(settled ? "start: ended messages in the history" : "start: waiting messages in the journal", static_cast<double>(messages) / took, 1000000.0 / 3, note);
    std::filesystem::remove(file);
  }
}

void measure_correlation(const Calibration&, const std::string&, bool, std::vector<Row>& rows) {
  constexpr std::uint64_t kEntries = 100000;
  constexpr double kLimitMegabytes = 14;
  pipeline::Correlation index;
  for (std::uint64_t i = 0; i < kEntries; ++i) {
    auto envelope = sample_envelope(i, 10);
    index.add(envelope.id, envelope.native_id, static_cast<std::uint32_t>(i / 256));
    index.add_delivery(sample_delivery(envelope).id, static_cast<std::uint32_t>(i / 256));
    index.add_native_id("$" + std::to_string(i) + "abcdefghijklmnopqrstuvwxyz", static_cast<std::uint32_t>(i / 256));
  }
  double megabytes = static_cast<double>(index.bytes()) / 1e6;
  char note[64];
  std::snprintf(note, sizeof note, "%.1f MB for 100,000", megabytes);
  rows.push_back({"correlation: entries per MB of memory", kEntries / megabytes, 0, kLimitMegabytes / megabytes, "14 MB per 100,000", 1, note});
}

}  // namespace fedgate::bench
