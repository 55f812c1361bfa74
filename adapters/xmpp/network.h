// Network: one XMPP component with everything that belongs to it: who is meant by each stanza, and what becomes of each delivery.
//
// Owned by main; one io_context's thread. Remembers, bounded and in memory only, from which full JID a message came (for receipts and error answers).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include <boost/asio/steady_timer.hpp>

#include "adapters/sdk/link_client.h"
#include "adapters/xmpp/component_stream.h"
#include "adapters/xmpp/ghost_services.h"
#include "adapters/xmpp/muc_room.h"
#include "adapters/xmpp/names.h"

namespace fedgate::xmpp {

class Network {
 public:
  Network(boost::asio::io_context& context, Config config, sdk::LinkClient& link);

  void start();
  void stop();
  void deliver(v1::Deliver delivery);
  void room_wanted(const v1::RoomWanted& room);
  static v1::Capabilities capabilities();

 private:
  struct Origin {
    std::string full_jid;
    bool wants_receipt = false;
  };

  void on_up();
  void on_down(const std::string& why);
  void on_stanza(Element& stanza);
  void on_message(Element& message, const Jid& from, const Jid& to);
  void on_direct(Element& message, const Jid& from, const Jid& to, const Remote& remote);
  void on_own_chat(const Element& message, const Jid& from, const Jid& to);
  void on_heard(const std::string& room, const MucRoom::Heard& heard);
  void on_bounce(const Element& message);

  void deliver_direct(v1::Deliver delivery, const std::string& ghost);
  void deliver_notice(v1::Deliver delivery);
  void send_or_retry(const Element& stanza, const v1::Deliver& delivery);
  void settle(const v1::Deliver& delivery, v1::DeliveryResult::Outcome outcome, const std::string& code, const std::string& words, bool network_down);
  std::optional<Remote> remote_at(const std::string& local) const;
  std::string ghost_of(const v1::Address& address);
  void answer_error(const Element& stanza, std::string_view type, std::string_view condition, std::string_view text);
  void remember_origin(const std::string& bare, const std::string& id, Origin origin);
  const Origin* origin_of(const std::string& bare, const std::string& id) const;
  void send_receipt(const std::string& from, const Origin& origin, const std::string& id);
  boost::asio::awaitable<void> run_command(v1::Command command, std::string room, std::string reply_to, std::string reply_from);
  boost::asio::awaitable<void> tick();

  boost::asio::io_context& context_;
  Config config_;
  sdk::LinkClient& link_;
  ComponentStream stream_;
  GhostServices services_;
  boost::asio::steady_timer timer_;
  std::map<std::string, std::unique_ptr<MucRoom>> rooms_;
  std::unordered_map<std::string, std::string> bounced_;   // delivery id -> condition, while its barrier is open
  std::unordered_map<std::string, bool> open_;             // delivery ids with an open barrier
  std::unordered_map<std::string, Origin> origins_;
  std::deque<std::string> origin_order_;
  std::unordered_map<std::string, std::int64_t> answered_;  // (from, to) -> when an error was last answered
  std::string told_down_;
  bool stopped_ = false;
};

}  // namespace fedgate::xmpp
