// Courier: lanes, and what makes them move: deliver credit, windows, back-off, a network that is away.
//
// Owned by Shard; its thread. A lane is a small state machine, not a coroutine: cheap, deterministic, gone when empty. It holds items in order; those from the front
// up to next_to_send are in flight or were just now put back. Credit belongs to the adapter and goes round its networks and their ready lanes. Decides no outcome: settle does.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/base/backoff.h"
#include "gateway/pipeline/core.h"
#include "gateway/pipeline/messages.h"

namespace fedgate::pipeline {

struct NetworkEntry;

struct Lane {
  Lane(std::string lane_key, NetworkEntry& entry, Backoff pause) : key(std::move(lane_key)), network(&entry), backoff(pause) {}
  std::string key;
  NetworkEntry* network;
  Item* head = nullptr;
  Item* tail = nullptr;
  Item* next_to_send = nullptr;
  Item* first_untold = nullptr;  // everything before it was looked at for a "delayed" notice
  std::uint32_t in_flight = 0;
  Backoff backoff;
  Scheduler::TimerId timer = 0;  // while it pauses
  bool queued = false;           // stands in its network's ready list
};

struct Session {
  std::uint64_t id = 0;
  AdapterPort* port = nullptr;
  std::string adapter;
  std::vector<NetworkEntry*> networks;
  std::uint32_t deliver_credit = 0;
  std::uint32_t withheld = 0;    // submit credit kept back while over a limit
  std::size_t turn = 0;
};

struct NetworkEntry {
  std::string name;
  const settings::Network* settings = nullptr;
  NetworkStats* stats = nullptr;
  Session* session = nullptr;
  render::Capabilities capabilities;
  std::deque<Lane*> ready;
  Backoff backoff{std::chrono::milliseconds(500), std::chrono::seconds(60)};
  Scheduler::TimerId probe_timer = 0;
  std::uint64_t in_flight = 0;
  bool up = false;
  bool probe = false;            // one delivery may try whether the network is back
  bool pumping = false;
  std::string problem;
};

class Courier {
 public:
  Courier(CoreParts& parts, Stats& stats);
  ~Courier();

  NetworkEntry* network(const std::string& name);
  const std::map<std::string, NetworkEntry>& networks() const { return networks_; }

  Session& attach(AdapterPort& port, const Hello& hello);  // replaces whoever spoke for these networks
  void detach(AdapterPort& port);
  Session* session(AdapterPort& port);
  Session* session_by_id(std::uint64_t id);
  const std::map<AdapterPort*, std::unique_ptr<Session>>& sessions() const { return sessions_; }

  void add(Item& item);      // at the end of its lane
  void remove(Item& item);   // ended, or settling
  void retry(Item& item, const DeliveryReport& report);
  void alive(NetworkEntry& network);  // the network answered
  void status(NetworkEntry& network, bool up, const std::string& reason);
  void grant(Session& session, std::uint32_t count);
  void each_lane(const std::function<void(Lane&)>& visit);
  std::uint64_t paused_items(const NetworkEntry& network) const;

 private:
  void make_ready(Lane& lane);
  bool can_send(const Lane& lane) const;
  void pump(Session& session);
  bool send_one(Session& session, NetworkEntry& network);
  void send(Session& session, Lane& lane);
  void put_back(Lane& lane);
  void drop_lane(Lane& lane);
  void went_down(NetworkEntry& network, const std::string& reason);
  void leave(NetworkEntry& network);
  void wake(NetworkEntry& network, bool reset);
  std::vector<Lane*> lanes_of(const NetworkEntry& network);

  CoreParts& parts_;
  Duration longest_;
  std::map<std::string, NetworkEntry> networks_;
  std::map<AdapterPort*, std::unique_ptr<Session>> sessions_;
  boost::unordered_flat_map<std::string, std::unique_ptr<Lane>> lanes_;
  std::string key_;  // reused
  std::uint64_t sessions_made_ = 0;
};

}  // namespace fedgate::pipeline
