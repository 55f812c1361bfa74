// Town: 16 homeservers, 4 XMPP servers and the gateway between them, with direct chats from every homeserver; the rounds that are driven through it.
//
// One thread; a round returns when everything that was sent has arrived, and throws std::runtime_error if something was lost, doubled or overtaken.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/whole_path/arrivals.h"
#include "tests/bench/whole_path/homeserver.h"
#include "tests/bench/whole_path/processes.h"
#include "tests/bench/whole_path/xmpp_server.h"

namespace fedgate::bench {

struct Round {
  std::uint64_t messages = 0;
  double seconds = 0;  // from the first send to the last arrival
  double p50_us = 0, p99_us = 0;
  std::map<std::string, double> cpu_us_each;  // by process, the generator included
  double per_second() const { return seconds > 0 ? static_cast<double>(messages) / seconds : 0; }
};

class Town {
 public:
  explicit Town(const std::filesystem::path& folder);

  // Every homeserver sends its next transaction as soon as the last one was answered.
  Round flood_to_xmpp(std::size_t events_per_transaction, double seconds);
  // Every conversation has `outstanding` messages on the way.
  Round flood_to_matrix(std::size_t outstanding, double seconds);
  // Messages become due evenly; a homeserver sends what is due, at most 100 in one transaction.
  Round paced_to_xmpp(double per_second, double seconds);

 private:
  struct Chat {
    std::size_t homeserver, xmpp;
    std::string room, user, ghost_mxid, person, ghost_jid;
  };
  void make_servers();
  void start_gateway(const std::filesystem::path& folder);
  void open_chats();
  bool pushing() const;
  std::string event(std::size_t chat, const std::string& type, const std::string& rest);
  std::string text_event(std::size_t chat, SteadyTime due);
  void write_to_matrix(std::size_t chat);
  std::size_t next_chat_of(std::size_t homeserver);
  void run_until(const std::function<bool()>& done, const char* what);
  Round measured(Arrivals& arrivals, const std::function<void()>& drive, const char* what);

  boost::asio::io_context context_{1};
  std::vector<Chat> chats_;
  Arrivals to_xmpp_, to_matrix_;
  std::vector<std::unique_ptr<Homeserver>> homeservers_;
  std::vector<std::unique_ptr<XmppServer>> xmpps_;
  std::vector<std::size_t> turn_;
  std::unique_ptr<Processes> processes_;
  SteadyTime flood_ends_{};
  std::uint64_t event_number_ = 0;
};

}  // namespace fedgate::bench
