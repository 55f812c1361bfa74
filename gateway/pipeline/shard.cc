#include "gateway/pipeline/shard.h"

#include <algorithm>
#include <set>

namespace fedgate::pipeline {
namespace {
constexpr std::size_t kStateValueMax = 4096;
constexpr std::size_t kStateKeyMax = 900;
}  // namespace

Shard::Shard(CoreParts parts)
    : parts_(std::move(parts)),
      realms_(*parts_.policy),
      rooms_(parts_, stats_, realms_),
      courier_(parts_, stats_),
      journal_(parts_, stats_),
      history_(parts_, stats_, [this](const std::vector<model::MessageId>& ids) { gone_to_history(ids); }),
      links_(parts_, stats_, rooms_, [this](const RoomWanted& wanted) {
        NetworkEntry* entry = courier_.network(wanted.network);
        if (entry && entry->session) entry->session->port->room_wanted(wanted);
      }) {}

Shard::~Shard() {
  if (timer_) parts_.scheduler.cancel(timer_);
}

Result<Welcome> Shard::attach(AdapterPort& port, const Hello& hello) {
  if (!recovered_) return make_error(ErrorKind::kUnavailable, "the gateway is still reading its store");
  if (hello.networks.empty()) return make_error(ErrorKind::kInvalid, "Hello names no network");
  for (const auto& name : hello.networks) {
    const auto* network = parts_.settings->network(name);
    if (!network) return make_error(ErrorKind::kForbidden, "network " + name + " is not in the configuration");
    if (network->adapter != hello.adapter)
      return make_error(ErrorKind::kForbidden, "network " + name + " belongs to adapter " + network->adapter + ", not " + hello.adapter);
  }
  if (std::set<std::string>(hello.networks.begin(), hello.networks.end()).size() != hello.networks.size())
    return make_error(ErrorKind::kInvalid, "Hello names a network twice");
  Welcome welcome;
  welcome.gateway = parts_.settings->gateway;
  for (const auto& [name, network] : parts_.settings->networks) welcome.peers.push_back({name, network.adapter, network.realm});
  for (const auto& name : hello.networks) {
    auto state = parts_.key_value.scan("adapter/" + name, "");
    if (!state) return std::unexpected(state.error());
    for (auto& entry : *state) welcome.state.push_back({name, std::move(entry.key), std::move(entry.value)});
    for (auto& wanted : links_.wanted(name)) welcome.rooms.push_back(std::move(wanted));
  }
  welcome.submit_credit = parts_.settings->limits.submit_credit;
  courier_.attach(port, hello);
  return welcome;
}

void Shard::grant_deliver_credit(AdapterPort& port, std::uint32_t count) {
  if (Session* session = courier_.session(port)) courier_.grant(*session, count);
}

void Shard::room_state(AdapterPort& port, RoomState state) {
  NetworkEntry* entry = courier_.network(state.network);
  if (!entry || !entry->session || entry->session->port != &port) return;
  rooms_.set(std::move(state));
}

void Shard::network_status(AdapterPort& port, const NetworkStatus& status) {
  NetworkEntry* entry = courier_.network(status.network);
  if (!entry || !entry->session || entry->session->port != &port) return;
  courier_.status(*entry, status.up, status.reason);
}

void Shard::write_state(AdapterPort& port, StateWrite write) {
  Session* session = courier_.session(port);
  if (!session) return;
  NetworkEntry* entry = courier_.network(write.network);
  std::string error;
  if (!entry || entry->session != session) error = "network is not this adapter's";
  if (write.key.empty() || write.key.size() > kStateKeyMax) error = "key is empty or longer than " + std::to_string(kStateKeyMax) + " bytes";
  if (write.value.size() > kStateValueMax) {
    ++stats_.limit_hits["state_value_bytes_max"];
    error = "value is longer than " + std::to_string(kStateValueMax) + " bytes";
  }
  if (!error.empty()) return port.state_written({write.ref, false, error});
  auto done = [this, id = session->id, ref = write.ref, life = std::weak_ptr<int>(life_)](Result<store::Revision> result) {
    if (life.expired()) return;
    if (!result) ++stats_.store_failures;
    if (Session* asking = courier_.session_by_id(id)) asking->port->state_written({ref, result.has_value(), result ? std::string() : result.error().message});
  };
  std::string bucket = "adapter/" + write.network;
  if (write.erase)
    parts_.key_value.erase(bucket, write.key, std::move(done));
  else
    parts_.key_value.put(bucket, write.key, std::move(write.value), std::nullopt, std::move(done));
}

void Shard::command(AdapterPort& port, const Command& command) {
  Session* session = courier_.session(port);
  NetworkEntry* entry = courier_.network(command.network);
  if (!session || !entry || entry->session != session) return;
  links_.command(command, [this, id = session->id, life = std::weak_ptr<int>(life_)](CommandReply reply) {
    if (life.expired()) return;
    if (Session* asking = courier_.session_by_id(id)) asking->port->command_reply(std::move(reply));
  });
}

const Stats& Shard::stats() {
  auto now = parts_.clock.steady_now();
  for (auto& [name, stats] : stats_.networks) stats.oldest_seconds = 0;
  courier_.each_lane([&](Lane& lane) {
    if (!lane.head->is_message()) return;
    double age = std::chrono::duration<double>(now - lane.head->since).count();
    lane.network->stats->oldest_seconds = std::max(lane.network->stats->oldest_seconds, age);
  });
  std::int64_t difference = 0;
  auto of = [](const NetworkStats& s, model::Outcome outcome) { return static_cast<std::int64_t>(s.deliveries[static_cast<std::size_t>(outcome)]); };
  for (const auto& [name, s] : stats_.networks) {
    // A requeued delivery waits once more; a dropped one was dead before, so its end is counted already.
    difference += static_cast<std::int64_t>(s.targets) + of(s, model::Outcome::kRequeued) - static_cast<std::int64_t>(s.waiting) -
                  of(s, model::Outcome::kDelivered) - of(s, model::Outcome::kExpired) - of(s, model::Outcome::kDead) - of(s, model::Outcome::kUncertain);
  }
  stats_.conservation_difference = difference;
  return stats_;
}

std::vector<std::string> Shard::problems() const {
  std::vector<std::string> problems;
  if (!recovered_) problems.push_back("the store has not been read yet");
  if (journal_.failing()) problems.push_back("store is not writing: " + journal_.failure());
  for (const auto& [name, entry] : courier_.networks()) {
    if (!entry.session)
      problems.push_back("network " + name + ": adapter is not attached");
    else if (!entry.up)
      problems.push_back("network " + name + ": " + entry.problem);
  }
  return problems;
}

}  // namespace fedgate::pipeline
