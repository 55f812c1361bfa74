// MissedEvents: reads what the homeserver has and did not push.
//
// Push alone is not enough (guarantees: Synapse holds events that wait behind a transaction in memory only, so that a crash loses them for us; and a transaction that it stores
// while it declares the application service recovered stays there until the next outage). So after every outage, ours or the homeserver's, each room that concerns us is read once
// from a minute before the last contact on, before its next event is handled. What was pushed already is recognised by the core as a duplicate.
// One io_context's thread. Limits: 10 pages of 100 events a room.
#pragma once

#include <boost/json/object.hpp>
#include <set>
#include <string>
#include <vector>

#include "adapters/matrix/bridged_rooms.h"
#include "adapters/matrix/direct_rooms.h"

namespace fedgate::matrix {

class MissedEvents {
 public:
  MissedEvents(const Config& config, Homeserver& homeserver, sdk::LinkClient& link, const DirectRooms& directs, const BridgedRooms& rooms)
      : config_(config), homeserver_(homeserver), link_(link), directs_(directs), rooms_(rooms) {}

  // The homeserver has answered just now; kept by the core twice a minute.
  boost::asio::awaitable<void> contact();
  // It is away. So it is in the beginning.
  void outage() { away_ = true; }
  // It is back: if it was away, every room may lack events. Whoever notices first says so, a request of ours or a transaction of its; only when the core's memory is there.
  void recovered();
  // The same rooms once more, for what Synapse leaves behind while it recovers. No effect when that is long ago.
  void suspect_again();
  // True if ids before this one were not seen, in the minutes after an outage; at other times gaps are other application services' transactions.
  bool gap_before(const std::string& transaction);

  bool suspects(const std::string& room) const { return suspected_.contains(room); }
  const std::set<std::string>& suspected() const { return suspected_; }
  // Oldest first. The room is not suspected any more, unless the homeserver did not answer.
  boost::asio::awaitable<Answer<std::vector<boost::json::object>>> read(std::string room);

 private:
  const Config& config_;
  Homeserver& homeserver_;
  sdk::LinkClient& link_;
  const DirectRooms& directs_;
  const BridgedRooms& rooms_;
  std::set<std::string> suspected_;
  bool away_ = true;
  std::int64_t last_contact_ms_ = 0;  // 0 = not in this life
  std::int64_t kept_contact_ms_ = 0;
  std::int64_t since_ms_ = 0;         // what is older was seen; 0 = not known yet
  std::int64_t outage_ended_ms_ = 0;
  std::int64_t last_transaction_ = -1;
};

}  // namespace fedgate::matrix
