// DirectRooms: which room is the direct chat of which user with which ghost. Kept by the core (link memory), so that it survives everything.
//
// "direct/<user>/<network>:<native id>" = "<generation> <room>" ("" while there is none), "room/<room>" = "<user>\n<network>:<native id>". One io_context's thread.
#pragma once

#include <optional>
#include <string>

#include "adapters/matrix/ghosts.h"

namespace fedgate::matrix {

// The other party of the bot's own chats: nobody on another network.
inline const Remote kOfTheGateway{"", "gateway"};

class DirectRooms {
 public:
  DirectRooms(const Config& config, Homeserver& homeserver, sdk::LinkClient& link, Ghosts& ghosts)
      : config_(config), homeserver_(homeserver), link_(link), ghosts_(ghosts) {}

  struct Direct {
    std::string user;
    Remote remote;
  };
  std::optional<Direct> of_room(const std::string& room) const;

  // "" while there is none.
  std::string room_of(const std::string& user, const Remote& remote) const { return kept(user, remote).room; }
  // The room of user and remote, made if there is none: the ghost creates it and invites the user. Safe to repeat: the room has an alias that says for whom it is.
  boost::asio::awaitable<Answer<std::string>> ensure(std::string user, Remote remote, std::string ghost);
  // A room that the user made.
  boost::asio::awaitable<void> adopt(std::string room, std::string user, Remote remote);
  // The user left it: the next message opens another.
  boost::asio::awaitable<void> abandon(std::string room);

 private:
  struct Kept {
    unsigned generation = 0;
    std::string room;
  };
  Kept kept(const std::string& user, const Remote& remote) const;
  boost::asio::awaitable<void> keep(std::string user, Remote remote, Kept value);

  const Config& config_;
  Homeserver& homeserver_;
  sdk::LinkClient& link_;
  Ghosts& ghosts_;
};

}  // namespace fedgate::matrix
