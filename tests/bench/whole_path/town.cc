#include "tests/bench/whole_path/town.h"

#include <sys/resource.h>

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "gateway/base/ghost_name.h"

namespace fedgate::bench {

namespace {

constexpr std::size_t kHomeservers = 16;
constexpr std::size_t kXmppServers = 4;
constexpr std::size_t kChatsEach = 8;
constexpr std::size_t kTextBytes = 300;
constexpr std::size_t kEventsPerTransactionMax = 100;  // what Synapse puts into one
constexpr std::size_t kGhostMxidLocalMax = 200;
constexpr auto kStalled = std::chrono::seconds(60);
constexpr auto kTick = std::chrono::microseconds(200);
constexpr const char* kHsToken = "bench-hs-token-0123456789abcdef0123456789abcdef";
constexpr const char* kAsToken = "bench-as-token-0123456789abcdef0123456789abcdef";

using Clock = std::chrono::steady_clock;

double own_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

std::string numbered(const char* prefix, std::size_t number) { return prefix + std::to_string(number); }

std::string counts(const Arrivals& arrivals) { return std::to_string(arrivals.received()) + " of " + std::to_string(arrivals.sent()); }

std::string loopback(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

}  // namespace

Town::Town(const std::filesystem::path& folder)
    : to_xmpp_(kHomeservers * kChatsEach, kTextBytes), to_matrix_(kHomeservers * kChatsEach, kTextBytes), turn_(kHomeservers, 0) {
  make_servers();
  start_gateway(folder);
  open_chats();
}

void Town::make_servers() {
  for (std::size_t i = 0; i < kHomeservers; ++i) {
    homeservers_.push_back(std::make_unique<Homeserver>(context_, Homeserver::Options{numbered("m", i) + ".example", kHsToken}, [this](std::string_view body) {
      std::size_t chat = to_matrix_.arrived(body);
      if (chat < chats_.size() && Clock::now() < flood_ends_) write_to_matrix(chat);
    }));
  }
  for (std::size_t i = 0; i < kXmppServers; ++i) {
    std::string domain = numbered("x", i) + ".example";
    xmpps_.push_back(std::make_unique<XmppServer>(context_, XmppServer::Options{"gw." + domain, domain}, [this](std::string_view stanza) {
      if (stanza.find("<body") != std::string_view::npos) to_xmpp_.arrived(stanza);
    }));
  }
}

void Town::start_gateway(const std::filesystem::path& folder) {
  nlohmann::json networks;
  std::vector<std::uint16_t> ports = free_ports(kHomeservers + 1);
  for (std::size_t i = 0; i < kHomeservers; ++i) {
    const std::string& domain = homeservers_[i]->domain();
    homeservers_[i]->push_to(ports[i]);
    networks[numbered("m", i)] = {{"adapter", "matrix"}, {"realm", "de-fed"}, {"domains", {{domain, "de-fed"}}}, {"protection", "tls"}, {"default_level", "INTERNAL"},
                                  {"matrix", {{"domain", domain}, {"homeserver", "http://" + loopback(homeservers_[i]->port())}, {"listen", loopback(ports[i])},
                                              {"as_token", {{"file", "as_token"}}}, {"hs_token", {{"file", "hs_token"}}}, {"bot", "fedgate"}}}};
  }
  for (std::size_t i = 0; i < kXmppServers; ++i) {
    const auto& options = xmpps_[i]->options();
    networks[numbered("x", i)] = {{"adapter", "xmpp"}, {"realm", "de-fed"}, {"domains", {{options.domain, "de-fed"}}}, {"protection", "tls"}, {"default_level", "INTERNAL"},
                                  {"xmpp", {{"component", options.component}, {"server", loopback(xmpps_[i]->port())}, {"server_domain", options.domain},
                                            {"secret", {{"file", "secret"}}}, {"nick", "fedgate"}}}};
  }
  nlohmann::json settings = {
      {"gateway", {{"name", "gw-bench"}, {"data_dir", "data"}, {"link", "unix:link.sock"}, {"admin", "unix:admin.sock"}, {"metrics", loopback(ports.back())}}},
      {"store", {{"kind", "sqlite"}}}, {"networks", networks}, {"links", nlohmann::json::array()},
      {"policy", std::filesystem::absolute("config/policies/two-agencies.json").string()}, {"limits", nlohmann::json::object()}, {"log", {{"level", "warn"}}}};
  processes_ = std::make_unique<Processes>(folder);
  processes_->write(settings, {{"as_token", kAsToken}, {"hs_token", kHsToken}, {"secret", "bench-secret-0123456789abcdef"}});
  processes_->start({"fedgate-core", "fedgate-matrix", "fedgate-xmpp"});
  run_until([this] {
    for (const auto& server : homeservers_) if (!server->pinged()) return false;
    for (const auto& server : xmpps_) if (!server->connected()) return false;
    return true;
  }, "the adapters did not connect");
}

void Town::open_chats() {
  for (std::size_t h = 0; h < kHomeservers; ++h) {
    std::string network = numbered("m", h), domain = homeservers_[h]->domain(), events;
    for (std::size_t k = 0; k < kChatsEach; ++k) {
      std::size_t x = (h + k) % kXmppServers;
      Chat chat{h, x, numbered("!d", k) + ":" + domain, numbered("@u", k) + ":" + domain, "", numbered("anna", h * kChatsEach + k) + "@" + xmpps_[x]->options().domain, ""};
      chat.ghost_mxid = "@_fedgate_" + make_ghost_name(numbered("x", x), chat.person, kGhostMxidLocalMax) + ":" + domain;
      chat.ghost_jid = make_ghost_name(network, chat.user, 1023) + "@" + xmpps_[x]->options().component;
      chats_.push_back(chat);
      events += (k == 0 ? "" : ",") + event(chats_.size() - 1, "m.room.member",
                                            R"("state_key":")" + chat.ghost_mxid + R"(","content":{"membership":"invite","is_direct":true})");
    }
    homeservers_[h]->push(events, [] {});
  }
  run_until([this] { return !pushing(); }, "the chats were not opened");
}

bool Town::pushing() const {
  for (const auto& server : homeservers_) if (server->pushing()) return true;
  return false;
}

std::string Town::event(std::size_t chat, const std::string& type, const std::string& rest) {
  auto now = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  const Chat& c = chats_[chat];
  return R"({"type":")" + type + R"(","event_id":"$)" + std::to_string(1000000000 + ++event_number_) + R"(abcdefghijklmnopqrstuvwxyz0123456","room_id":")" + c.room +
         R"(","sender":")" + c.user + R"(","origin_server_ts":)" + std::to_string(now) + "," + rest + "}";
}

std::string Town::text_event(std::size_t chat, SteadyTime due) {
  return event(chat, "m.room.message", R"("content":{"msgtype":"m.text","body":")" + to_xmpp_.text(chat, due) + "\"}");
}

void Town::write_to_matrix(std::size_t chat) {
  const Chat& c = chats_[chat];
  xmpps_[c.xmpp]->write("<message type='chat' id='b" + std::to_string(++event_number_) + "' from='" + c.person + "/pc' to='" + c.ghost_jid + "'><body>" +
                        to_matrix_.text(chat, Clock::now()) + "</body></message>");
}

std::size_t Town::next_chat_of(std::size_t homeserver) { return homeserver * kChatsEach + turn_[homeserver]++ % kChatsEach; }

void Town::run_until(const std::function<bool()>& done, const char* what) {
  auto stalled = Clock::now() + kStalled;
  std::uint64_t seen = 0;
  while (!done()) {
    context_.run_one_for(std::chrono::milliseconds(100));
    if (std::uint64_t now = to_xmpp_.received() + to_matrix_.received(); now != seen) {
      seen = now;
      stalled = Clock::now() + kStalled;
    }
    if (Clock::now() < stalled) continue;
    throw std::runtime_error(std::string(what) + " within 60 s; to XMPP " + counts(to_xmpp_) + ", to Matrix " + counts(to_matrix_) + "\n" + processes_->logs());
  }
}

Round Town::measured(Arrivals& arrivals, const std::function<void()>& drive, const char* what) {
  arrivals.begin_round();
  std::uint64_t before = arrivals.received();
  auto cpu_before = processes_->cpu_seconds();
  double own_before = own_cpu_seconds();
  auto began = Clock::now();
  drive();
  run_until([&] { return arrivals.complete() && Clock::now() >= flood_ends_ && !pushing(); }, what);
  if (arrivals.out_of_order() != 0) throw std::runtime_error(std::to_string(arrivals.out_of_order()) + " messages came out of order or twice");
  if (arrivals.strangers() != 0) throw std::runtime_error("something else than a measured message came: " + arrivals.first_stranger());
  Round round;
  round.messages = arrivals.received() - before;
  round.seconds = std::chrono::duration<double>(arrivals.last() - began).count();
  round.p50_us = arrivals.latency_us(0.5);
  round.p99_us = arrivals.latency_us(0.99);
  for (const auto& [program, seconds] : processes_->cpu_seconds()) round.cpu_us_each[program] = (seconds - cpu_before[program]) * 1e6 / static_cast<double>(round.messages);
  round.cpu_us_each["generator"] = (own_cpu_seconds() - own_before) * 1e6 / static_cast<double>(round.messages);
  return round;
}

Round Town::flood_to_xmpp(std::size_t events_per_transaction, double seconds) {
  std::function<void(std::size_t)> push = [&](std::size_t homeserver) {
    if (Clock::now() >= flood_ends_) return;
    std::string events;
    for (std::size_t i = 0; i < events_per_transaction; ++i) events += (i == 0 ? "" : ",") + text_event(next_chat_of(homeserver), Clock::now());
    homeservers_[homeserver]->push(events, [&push, homeserver] { push(homeserver); });
  };
  return measured(to_xmpp_, [&] {
    flood_ends_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    for (std::size_t h = 0; h < kHomeservers; ++h) push(h);
  }, "not every message arrived at the XMPP servers");
}

Round Town::flood_to_matrix(std::size_t outstanding, double seconds) {
  return measured(to_matrix_, [&] {
    flood_ends_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    for (std::size_t i = 0; i < outstanding; ++i)
      for (std::size_t chat = 0; chat < chats_.size(); ++chat) write_to_matrix(chat);
  }, "not every message arrived at the homeservers");
}

Round Town::paced_to_xmpp(double per_second, double seconds) {
  std::vector<std::deque<SteadyTime>> due(kHomeservers);
  boost::asio::steady_timer timer(context_);
  std::uint64_t made = 0;
  SteadyTime began{};
  auto gap = std::chrono::duration<double>(1.0 / per_second);
  std::function<void(std::size_t)> push = [&](std::size_t homeserver) {
    auto& queue = due[homeserver];
    if (queue.empty() || homeservers_[homeserver]->pushing()) return;
    std::string events;
    for (std::size_t i = 0; i < kEventsPerTransactionMax && !queue.empty(); ++i) {
      events += (i == 0 ? "" : ",") + text_event(next_chat_of(homeserver), queue.front());
      queue.pop_front();
    }
    homeservers_[homeserver]->push(events, [&push, homeserver] { push(homeserver); });
  };
  std::function<void()> tick = [&] {
    auto now = Clock::now();
    for (SteadyTime at = began; now < flood_ends_; ++made) {
      at = began + std::chrono::duration_cast<Clock::duration>(gap * static_cast<double>(made));
      if (at > now) break;
      due[made % kHomeservers].push_back(at);
    }
    for (std::size_t h = 0; h < kHomeservers; ++h) push(h);
    if (now >= flood_ends_) return;
    timer.expires_after(kTick);
    timer.async_wait([&](boost::system::error_code error) { if (!error) tick(); });
  };
  return measured(to_xmpp_, [&] {
    began = Clock::now();
    flood_ends_ = began + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    tick();
  }, "not every message arrived at the XMPP servers");
}

}  // namespace fedgate::bench
