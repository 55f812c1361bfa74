// Deliveries: brings what the core gives into Matrix rooms and says how each ended.
//
// One io_context's thread; the core keeps at most one delivery of a lane out (lane_window 1), so order needs nothing here. Every delivery ends in exactly one result.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "adapters/matrix/bridged_rooms.h"
#include "adapters/matrix/direct_rooms.h"

namespace fedgate::matrix {

class Deliveries : public std::enable_shared_from_this<Deliveries> {
 public:
  // on_unreachable: the homeserver did not answer; the network goes down until it does.
  Deliveries(boost::asio::io_context& context, const Config& config, Homeserver& homeserver, sdk::LinkClient& link, Ghosts& ghosts, DirectRooms& directs,
             BridgedRooms& rooms, std::function<void(const std::string&)> on_unreachable)
      : context_(context), config_(config), homeserver_(homeserver), link_(link), ghosts_(ghosts), directs_(directs), rooms_(rooms), on_unreachable_(std::move(on_unreachable)) {}

  void deliver(v1::Deliver delivery);

 private:
  struct Place {
    std::string room;
    std::string speaker;  // user id that writes
  };
  boost::asio::awaitable<void> run(v1::Deliver delivery);
  boost::asio::awaitable<Answer<std::string>> bring(const v1::Deliver& delivery);  // the event id
  boost::asio::awaitable<Answer<Place>> place_of(const v1::Deliver& delivery);
  boost::asio::awaitable<Answer<std::string>> tell(const v1::Deliver& delivery);   // a notice
  boost::asio::awaitable<Answer<std::string>> say(const v1::Deliver& delivery, Place place, boost::json::object content);
  boost::asio::awaitable<Answer<std::string>> find_sent(const v1::Deliver& delivery, const Place& place);
  boost::asio::awaitable<Answer<void>> load_sent(const Place& place);
  // Writes the event and keeps sent_ true.
  boost::asio::awaitable<Answer<std::string>> write(const v1::Deliver& delivery, const Place& place, boost::json::object content, std::int64_t at_ms);
  void settle(const v1::Deliver& delivery, const Answer<std::string>& answer);

  boost::asio::io_context& context_;
  const Config& config_;
  Homeserver& homeserver_;
  sdk::LinkClient& link_;
  Ghosts& ghosts_;
  DirectRooms& directs_;
  BridgedRooms& rooms_;
  std::function<void(const std::string&)> on_unreachable_;
  // Room -> delivery id -> event id of what was found in it once and of what was sent since. Only rooms in which something had to be looked for; nobody else writes deliveries into them.
  std::unordered_map<std::string, std::unordered_map<std::string, std::string>> sent_;
};

}  // namespace fedgate::matrix
