// Core: one shard of the gateway: everything between an adapter's submission and the settlement of its deliveries.
//
// Owned by app/ (or a test); lives on its Scheduler's single thread: every call below comes from that thread. Knows no gRPC, no sockets, no threads: time, chance, store and
// adapters are arguments, so that tests/sim runs this very class. A crash at any point is a replay: construct, recover(), attach.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/base/clock.h"
#include "gateway/base/random.h"
#include "gateway/base/result.h"
#include "gateway/base/scheduler.h"
#include "gateway/pipeline/operator_views.h"
#include "gateway/pipeline/ports.h"
#include "gateway/pipeline/stats.h"
#include "gateway/policy/policy.h"
#include "gateway/settings/settings.h"
#include "gateway/store/key_value.h"
#include "gateway/store/log.h"

namespace fedgate::pipeline {

struct CoreParts {
  Scheduler& scheduler;
  const Clock& clock;
  Random& random;
  store::Log& log;
  store::KeyValue& key_value;
  std::shared_ptr<const settings::Settings> settings;
  std::shared_ptr<const policy::Policy> policy;
};

class Shard;

class Core {
 public:
  explicit Core(CoreParts parts);
  ~Core();

  // Blocking; before anything else. Reads history and journal, rebuilds indexes, lanes and links.
  Result<void> recover();

  // ---- adapters. A port stays valid until detach() returned. kForbidden / kConflict say why a Hello is not accepted. A network has one port; a newer one replaces it.
  Result<Welcome> attach(AdapterPort& port, const Hello& hello);
  void detach(AdapterPort& port);
  void submit(AdapterPort& port, Submission submission);
  void report(AdapterPort& port, DeliveryReport report);
  void grant_deliver_credit(AdapterPort& port, std::uint32_t count);
  void room_state(AdapterPort& port, RoomState state);
  void network_status(AdapterPort& port, const NetworkStatus& status);
  void write_state(AdapterPort& port, StateWrite write);
  void command(AdapterPort& port, const Command& command);

  // ---- operator and metrics
  std::vector<TracedMessage> trace(const std::string& id) const;
  std::vector<QueueView> queue() const;
  DeadPage dead_list(const std::string& network, std::size_t limit) const;
  // ids empty + all: every dead delivery of `network` (empty = of all). Done with how many were changed, when durable.
  void dead_retry(std::vector<std::string> ids, bool all, std::string network, std::function<void(Result<std::uint64_t>)> done);
  void dead_drop(std::vector<std::string> ids, bool all, std::string network, std::function<void(Result<std::uint64_t>)> done);
  std::vector<LinkView> links() const;
  // state: "active", "suspended", "deleted".
  void set_link(std::string id, std::string state, std::function<void(Result<LinkView>)> done);
  const Stats& stats() const;
  std::vector<std::string> problems() const;  // why not ready; empty = ready

 private:
  std::unique_ptr<Shard> shard_;
};

}  // namespace fedgate::pipeline
