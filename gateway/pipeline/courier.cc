#include "gateway/pipeline/courier.h"

#include <algorithm>

namespace fedgate::pipeline {
namespace {
constexpr Duration kRetryBase = std::chrono::milliseconds(500);
}  // namespace

Courier::Courier(CoreParts& parts, Stats& stats) : parts_(parts), longest_(std::chrono::seconds(std::max(1u, parts.settings->limits.retry_s_max))) {
  for (const auto& [name, settings] : parts.settings->networks) {
    auto& entry = networks_[name];
    entry.name = name;
    entry.settings = &settings;
    entry.stats = &stats.networks[name];
    entry.backoff = Backoff(kRetryBase, longest_);
  }
}

Courier::~Courier() {
  for (auto& [key, lane] : lanes_)
    if (lane->timer) parts_.scheduler.cancel(lane->timer);
  for (auto& [name, entry] : networks_)
    if (entry.probe_timer) parts_.scheduler.cancel(entry.probe_timer);
}

NetworkEntry* Courier::network(const std::string& name) {
  auto it = networks_.find(name);
  return it == networks_.end() ? nullptr : &it->second;
}

Session* Courier::session(AdapterPort& port) {
  auto it = sessions_.find(&port);
  return it == sessions_.end() ? nullptr : it->second.get();
}

Session* Courier::session_by_id(std::uint64_t id) {
  for (auto& [port, session] : sessions_)
    if (session->id == id) return session.get();
  return nullptr;
}

Session& Courier::attach(AdapterPort& port, const Hello& hello) {
  detach(port);
  auto session = std::make_unique<Session>();
  session->id = ++sessions_made_;
  session->port = &port;
  session->adapter = hello.adapter;
  for (const auto& name : hello.networks) {
    NetworkEntry& entry = networks_.at(name);
    if (entry.session) {
      leave(entry);
      std::erase(entry.session->networks, &entry);
    }
    if (auto it = hello.capabilities.find(name); it != hello.capabilities.end()) entry.capabilities = it->second;
    entry.session = session.get();
    entry.up = true;  // until the adapter says otherwise or a delivery shows it
    entry.problem.clear();
    entry.stats->link_up = true;
    session->networks.push_back(&entry);
    wake(entry, true);
  }
  return *(sessions_[&port] = std::move(session));
}

void Courier::detach(AdapterPort& port) {
  auto it = sessions_.find(&port);
  if (it == sessions_.end()) return;
  for (NetworkEntry* entry : it->second->networks) {
    leave(*entry);
    entry->session = nullptr;
    entry->up = false;
    entry->stats->link_up = false;
    entry->stats->deliver_credit = 0;
  }
  sessions_.erase(it);
}

// Nobody will answer what this network's adapter has in hand: it may have arrived, so it goes again with redelivery set.
void Courier::leave(NetworkEntry& network) {
  for (Lane* lane : lanes_of(network)) {
    put_back(*lane);
    make_ready(*lane);
  }
  if (network.probe_timer) parts_.scheduler.cancel(network.probe_timer);
  network.probe_timer = 0;
  network.probe = false;
}

std::vector<Lane*> Courier::lanes_of(const NetworkEntry& network) {
  std::vector<Lane*> lanes;
  for (auto& [key, lane] : lanes_)
    if (lane->network == &network) lanes.push_back(lane.get());
  // The map's order depends on addresses and growth; a simulation wants the same order for the same seed.
  std::sort(lanes.begin(), lanes.end(), [](const Lane* a, const Lane* b) { return a->key < b->key; });
  return lanes;
}

void Courier::add(Item& item) {
  NetworkEntry* entry = network(item.delivery.network);
  if (!entry) return;  // not reached: dispatch and recovery know only configured networks
  key_.assign(item.delivery.network);
  key_ += item.is_message() ? "/m/" : "/n/";
  key_ += item.delivery.conversation.key();
  auto& slot = lanes_[key_];
  if (!slot) slot = std::make_unique<Lane>(key_, *entry, Backoff(kRetryBase, longest_));
  Lane& lane = *slot;
  item.state = Item::State::kWaiting;
  item.lane = &lane;
  item.previous = lane.tail;
  item.next = nullptr;
  (lane.tail ? lane.tail->next : lane.head) = &item;
  lane.tail = &item;
  if (!lane.next_to_send) lane.next_to_send = &item;
  if (!lane.first_untold) lane.first_untold = &item;
  make_ready(lane);
  if (entry->session) pump(*entry->session);
}

void Courier::remove(Item& item) {
  Lane* lane = item.lane;
  if (!lane) return;
  NetworkEntry& network = *lane->network;
  if (item.state == Item::State::kInFlight) {
    --lane->in_flight;
    --network.in_flight;
  }
  if (lane->next_to_send == &item) lane->next_to_send = item.next;
  if (lane->first_untold == &item) lane->first_untold = item.next;
  (item.previous ? item.previous->next : lane->head) = item.next;
  (item.next ? item.next->previous : lane->tail) = item.previous;
  item.previous = item.next = nullptr;
  item.lane = nullptr;
  if (!lane->head)
    drop_lane(*lane);
  else
    make_ready(*lane);
  if (network.session) pump(*network.session);
}

void Courier::drop_lane(Lane& lane) {
  if (lane.timer) parts_.scheduler.cancel(lane.timer);
  if (lane.queued) std::erase(lane.network->ready, &lane);
  lanes_.erase(std::string(lane.key));
}

bool Courier::can_send(const Lane& lane) const {
  std::uint32_t window = std::max(1u, lane.network->capabilities.lane_window);
  return lane.next_to_send && !lane.timer && lane.in_flight < window;
}

void Courier::make_ready(Lane& lane) {
  if (lane.queued || !can_send(lane)) return;
  lane.queued = true;
  lane.network->ready.push_back(&lane);
}

void Courier::grant(Session& session, std::uint32_t count) {
  session.deliver_credit += count;
  pump(session);
}

void Courier::pump(Session& session) {
  while (session.deliver_credit > 0 && !session.networks.empty()) {
    bool sent = false;
    for (std::size_t i = 0; i < session.networks.size() && !sent; ++i) {
      session.turn = (session.turn + 1) % session.networks.size();
      sent = send_one(session, *session.networks[session.turn]);
    }
    if (!sent) break;
  }
  for (NetworkEntry* entry : session.networks) entry->stats->deliver_credit = session.deliver_credit;
}

bool Courier::send_one(Session& session, NetworkEntry& network) {
  while (!network.ready.empty() && (network.up || network.probe)) {
    Lane* lane = network.ready.front();
    network.ready.pop_front();
    lane->queued = false;
    if (!can_send(*lane)) continue;
    network.probe = false;
    send(session, *lane);
    make_ready(*lane);
    return true;
  }
  return false;
}

void Courier::send(Session& session, Lane& lane) {
  Item& item = *lane.next_to_send;
  lane.next_to_send = item.next;
  item.state = Item::State::kInFlight;
  ++item.attempts;
  ++lane.in_flight;
  ++lane.network->in_flight;
  --session.deliver_credit;
  auto age = std::chrono::duration_cast<std::chrono::seconds>(parts_.clock.steady_now() - item.since).count();
  DeliveryRequest request{item.delivery, *item.envelope, item.delivery.body ? *item.delivery.body : item.envelope->body, item.redelivery,
                          age >= 5 ? (item.envelope->sent_at_ms ? item.envelope->sent_at_ms : item.envelope->accepted_at_ms) : 0, lane.key};
  session.port->deliver(request);
}

void Courier::put_back(Lane& lane) {
  for (Item* item = lane.head; item; item = item->next) {
    if (item->state != Item::State::kInFlight) continue;
    item->state = Item::State::kWaiting;
    item->redelivery = true;
  }
  lane.network->in_flight -= lane.in_flight;
  lane.in_flight = 0;
  lane.next_to_send = lane.head;
}

void Courier::retry(Item& item, const DeliveryReport& report) {
  Lane* lane = item.lane;
  if (!lane || item.state != Item::State::kInFlight) return;  // put back already because of an earlier one of the lane
  NetworkEntry& network = *lane->network;
  put_back(*lane);
  Duration pause = report.retry_after_ms ? std::min<Duration>(std::chrono::milliseconds(report.retry_after_ms), longest_) : lane->backoff.next(parts_.random);
  if (report.network_down) {
    went_down(network, report.reason.empty() ? report.reason_code : report.reason);
    make_ready(*lane);
    return;
  }
  alive(network);
  if (lane->timer) parts_.scheduler.cancel(lane->timer);
  lane->timer = parts_.scheduler.after(pause, [this, lane] {
    lane->timer = 0;
    make_ready(*lane);
    if (lane->network->session) pump(*lane->network->session);
  });
}

void Courier::went_down(NetworkEntry& network, const std::string& reason) {
  network.up = false;
  network.problem = reason.empty() ? "network is down" : reason;
  network.stats->link_up = false;
  if (network.probe_timer || network.probe) return;
  network.probe_timer = parts_.scheduler.after(network.backoff.next(parts_.random), [this, entry = &network] {
    entry->probe_timer = 0;
    entry->probe = true;
    if (entry->session) pump(*entry->session);
  });
}

void Courier::alive(NetworkEntry& network) {
  if (network.up || !network.session) return;
  wake(network, true);
  network.up = true;
  network.problem.clear();
  network.stats->link_up = true;
}

void Courier::status(NetworkEntry& network, bool up, const std::string& reason) {
  if (!up) {
    went_down(network, reason);
    return;
  }
  network.up = true;
  network.problem.clear();
  network.stats->link_up = true;
  wake(network, true);
  if (network.session) pump(*network.session);
}

// Every lane of the network may try at once.
void Courier::wake(NetworkEntry& network, bool reset) {
  if (network.probe_timer) parts_.scheduler.cancel(network.probe_timer);
  network.probe_timer = 0;
  network.probe = false;
  network.backoff.reset();
  for (Lane* lane : lanes_of(network)) {
    if (lane->timer) parts_.scheduler.cancel(lane->timer);
    lane->timer = 0;
    if (reset) lane->backoff.reset();
    make_ready(*lane);
  }
}

void Courier::each_lane(const std::function<void(Lane&)>& visit) {
  std::vector<std::string> keys;
  keys.reserve(lanes_.size());
  for (auto& [key, lane] : lanes_) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  for (const auto& key : keys)
    if (auto it = lanes_.find(key); it != lanes_.end()) visit(*it->second);
}

std::uint64_t Courier::paused_items(const NetworkEntry& network) const {
  std::uint64_t count = 0;
  for (const auto& [key, lane] : lanes_)
    if (lane->network == &network && lane->timer)
      for (Item* item = lane->head; item; item = item->next) ++count;
  return count;
}

}  // namespace fedgate::pipeline
