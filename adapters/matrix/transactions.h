// Transactions: what the homeserver pushes. Every event in its order: memberships first change what we know, messages are submitted; done when every submission has its verdict.
//
// One io_context's thread; one transaction at a time, as homeservers send them. Answered ones are remembered by id and content (1,000), so that a repetition costs nothing. The id alone is no proof: a homeserver on SQLite counts
// from 1 again after a restart. The core recognises events that come again in another transaction.
#pragma once

#include <deque>
#include <utility>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "adapters/matrix/bridged_rooms.h"
#include "adapters/matrix/direct_rooms.h"
#include "adapters/matrix/from_wire.h"
#include "adapters/matrix/missed_events.h"

namespace fedgate::matrix {

class Transactions {
 public:
  Transactions(boost::asio::io_context& context, const Config& config, Homeserver& homeserver, sdk::LinkClient& link, Ghosts& ghosts, DirectRooms& directs,
               BridgedRooms& rooms, MissedEvents& missed)
      : context_(context), config_(config), homeserver_(homeserver), link_(link), ghosts_(ghosts), directs_(directs), rooms_(rooms), missed_(missed) {}

  // Returns when the homeserver may hear 200. identity: of id and content together. False: it has to come again, because the core or the rooms are not known yet, or
  // because the homeserver did not tell what it had not pushed.
  boost::asio::awaitable<bool> accept(std::string id, std::string identity, const boost::json::array& events);
  // Submits what was missed in the rooms that are suspected, one room after the other, between the transactions.
  boost::asio::awaitable<void> catch_up();

 private:
  struct Waiting;
  boost::asio::awaitable<void> take_turn();
  void give_turn_back();
  // All events of one transaction; false if it has to come again.
  boost::asio::awaitable<bool> handle_all(const boost::json::array& events, bool gap, std::shared_ptr<Waiting> waiting);
  boost::asio::awaitable<void> handle(const boost::json::object& event, std::shared_ptr<Waiting> waiting);
  // live: pushed to us now. What was missed is submitted, but no command of it is carried out.
  boost::asio::awaitable<void> handle_message(EventHead head, const boost::json::object& event, bool live, std::shared_ptr<Waiting> waiting);
  boost::asio::awaitable<bool> handle_missed(std::string room, std::shared_ptr<Waiting> waiting);
  boost::asio::awaitable<void> verdicts(std::shared_ptr<Waiting> waiting);
  boost::asio::awaitable<void> membership(EventHead head);
  boost::asio::awaitable<void> invited(EventHead head);
  boost::asio::awaitable<bool> command(const EventHead& head);
  boost::asio::awaitable<void> run_command(std::string room, std::string id, std::string sender, std::string line);
  boost::asio::awaitable<std::string> start_chat(std::string user, std::string address);
  boost::asio::awaitable<std::string> display_name(std::string room, std::string user, std::string as_user);
  boost::asio::awaitable<bool> is_room_admin(std::string room, std::string user);
  boost::asio::awaitable<void> reply(std::string room, std::string to_event, std::string text);

  boost::asio::io_context& context_;
  const Config& config_;
  Homeserver& homeserver_;
  sdk::LinkClient& link_;
  Ghosts& ghosts_;
  DirectRooms& directs_;
  BridgedRooms& rooms_;
  MissedEvents& missed_;
  std::unordered_map<std::string, std::string> names_;  // room + "\n" + user
  std::set<std::string> done_;
  std::deque<std::string> done_order_;
  bool busy_ = false;
  std::deque<std::move_only_function<void()>> turns_;
};

}  // namespace fedgate::matrix
