// A real core on a memory store behind a real unix socket, with two networks, "bund" (matrix) and "bpol" (xmpp), and the shipped policy.
//
// The core can be dropped and started again on the same store, as after a crash. The test's thread may not touch the core but through on_shard().
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <sstream>
#include <thread>

#include "gateway/app/asio_scheduler.h"
#include "gateway/base/random.h"
#include "gateway/link/link_server.h"
#include "gateway/policy/load.h"
#include "gateway/store/memory_store.h"

namespace fedgate::link {

struct Lab {
  std::string folder = (std::filesystem::temp_directory_path() / "fedgate-link-XXXXXX").string();
  app::AsioScheduler scheduler;
  store::MemoryStore store{scheduler};
  SystemClock clock;
  SystemRandom random;
  std::shared_ptr<settings::Settings> settings = std::make_shared<settings::Settings>();
  std::shared_ptr<const policy::Policy> policy;
  std::unique_ptr<pipeline::Core> core;
  std::unique_ptr<LinkServer> server;
  std::thread shard;

  Lab() {
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    settings->gateway = "gw";
    settings->networks["bund"] = {.name = "bund", .adapter = "matrix", .realm = "de-fed", .domains = {{"bund.example", "de-fed"}},
                                  .protection = model::Protection::kTls, .default_level = model::Rank::kInternal};
    settings->networks["bpol"] = {.name = "bpol", .adapter = "xmpp", .realm = "de-fed", .domains = {{"polizei.example", "de-fed"}},
                                  .protection = model::Protection::kTls, .default_level = model::Rank::kInternal};
    std::ifstream file("config/policies/two-agencies.json");
    std::ostringstream text;
    text << file.rdbuf();
    auto loaded = policy::parse_policy(text.str(), "p");
    REQUIRE(loaded.has_value());
    policy = *loaded;
    shard = std::thread([this] { scheduler.run(); });
    start_core();
  }

  void start_core() {
    on_shard([&] {
      core = std::make_unique<pipeline::Core>(pipeline::CoreParts{scheduler, clock, random, store, store, settings, policy});
      REQUIRE(core->recover().has_value());
    });
    auto started = LinkServer::start({"unix:" + folder + "/link.sock", settings}, scheduler, *core);
    REQUIRE(started.has_value());
    server = std::move(*started);
  }

  // As a crash does: nothing is handed over, only the store stays.
  void drop_core() {
    server->stop();
    on_shard([&] { core.reset(); });
  }

  void on_shard(std::function<void()> what) {
    std::promise<void> done;
    scheduler.post([&] {
      what();
      done.set_value();
    });
    done.get_future().wait();
  }

  ~Lab() {
    drop_core();
    scheduler.stop();
    shard.join();
    std::filesystem::remove_all(folder);
  }
};

}  // namespace fedgate::link
