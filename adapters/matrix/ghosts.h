// Ghosts: users of our namespace, made when they are first needed, with the display name of whom they stand for.
//
// One io_context's thread. Remembers in memory what was done already; doing it again is harmless. Long addresses have hashed names, whose address is kept in the link's memory ("ghost/<hash>").
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "adapters/matrix/homeserver.h"
#include "adapters/sdk/link_client.h"

namespace fedgate::matrix {

struct Remote {
  std::string network;
  std::string native_id;
};

class Ghosts {
 public:
  Ghosts(const Config& config, Homeserver& homeserver, sdk::LinkClient& link) : config_(config), homeserver_(homeserver), link_(link) {}

  // Whom a user id of our namespace stands for; nullopt for the bot, strangers and networks that are not attached to this gateway.
  std::optional<Remote> remote_of(const std::string& user_id) const;

  // Registered, named if display_name is not empty. The ghost's user id.
  boost::asio::awaitable<Answer<std::string>> ensure(std::string network, std::string native_id, std::string display_name);

  // In the room, invited by `inviter` ("" = the bot) when it needs an invitation.
  boost::asio::awaitable<Answer<void>> ensure_joined(std::string room, std::string ghost, std::string inviter);
  void joined(const std::string& room, const std::string& ghost) { joined_.insert(room + "\n" + ghost); }
  void left(const std::string& room, const std::string& ghost) { joined_.erase(room + "\n" + ghost); }

 private:
  const Config& config_;
  Homeserver& homeserver_;
  sdk::LinkClient& link_;
  std::unordered_set<std::string> registered_;
  std::unordered_map<std::string, std::string> names_;
  std::unordered_set<std::string> joined_;
};

}  // namespace fedgate::matrix
