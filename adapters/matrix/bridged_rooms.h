// BridgedRooms: the rooms that the core wants us in, by the name it gave (room id or alias), and what policy must know of each.
//
// The bot joins and stays; failing to is tried again with back-off and told as RoomState.problem. One io_context's thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "adapters/matrix/homeserver.h"
#include "adapters/sdk/link_client.h"

namespace fedgate::matrix {

class BridgedRooms : public std::enable_shared_from_this<BridgedRooms> {
 public:
  BridgedRooms(boost::asio::io_context& context, const Config& config, Homeserver& homeserver, sdk::LinkClient& link)
      : context_(context), config_(config), homeserver_(homeserver), link_(link) {}

  void wanted(const v1::RoomWanted& room);
  void stop() { stopped_ = true; }

  struct Room {
    std::string wanted;  // as the core calls it
    std::string id;      // "" until joined
    v1::RoomWanted::Presence presence = v1::RoomWanted::GONE;
    bool asked = false;  // the homeserver has answered what room this is, or we know it from before
  };
  // Waits, at most 20 s, until the core has said which rooms it wants and each of them is known by its id. Before that an event cannot be told from one of a room
  // that nobody wants. False: not yet.
  boost::asio::awaitable<bool> known();
  const Room* by_id(const std::string& room_id) const;
  const Room* by_wanted(const std::string& name) const;
  std::vector<std::string> bridged_ids() const;

  // Something about members or encryption of the room changed: ask again and tell the core.
  void changed(const std::string& room_id);
  bool is_encrypted(const std::string& room_id) const { return encrypted_.contains(room_id); }
  // Whether text may be written there; asks the homeserver once per room.
  boost::asio::awaitable<Answer<bool>> check_encrypted(std::string room_id, std::string as_user);
  void set_encrypted(const std::string& room_id) { encrypted_.insert(room_id); }

 private:
  boost::asio::awaitable<void> join(std::string wanted);
  boost::asio::awaitable<void> tell(std::string wanted);
  boost::asio::awaitable<void> keep_id(std::string wanted, std::string id);
  void problem(const std::string& wanted, const std::string& words);
  bool all_known() const;

  boost::asio::io_context& context_;
  const Config& config_;
  Homeserver& homeserver_;
  sdk::LinkClient& link_;
  std::map<std::string, Room> rooms_;                       // by wanted
  std::unordered_map<std::string, std::string> by_id_;      // id -> wanted
  std::set<std::string> joining_;
  std::set<std::string> telling_;
  std::set<std::string> tell_again_;
  std::set<std::string> encrypted_;
  std::set<std::string> encryption_known_;
  bool stopped_ = false;
};

}  // namespace fedgate::matrix
