// Links: which rooms belong together, and the commands by which people of those rooms make and end that.
//
// Owned by Shard; its thread. A link becomes active when an admin of each room asked for it. A room belongs to at most one link; a room that somebody else only named
// is not bound by that. Stored in KeyValue bucket "links" before anything takes effect. Never deletes on a command of a room: only the operator does.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/codec/link_codec.h"
#include "gateway/pipeline/core.h"
#include "gateway/pipeline/room_states.h"

namespace fedgate::pipeline {

struct Link {
  enum class State { kPending, kActive, kSuspended };
  struct End {
    std::string network, room;
    std::optional<model::Rank> default_level;
    std::string proven_by;
    std::int64_t proven_at_ms = 0;
  };
  std::string id;
  State state = State::kPending;
  std::vector<End> ends;
  bool from_configuration = false;
  std::string note;
  std::int64_t changed_at_ms = 0;
};

// "network/room": neither part of a network name can hold a slash.
inline std::string room_key(const std::string& network, const std::string& room) { return network + "/" + room; }

class Links {
 public:
  using Wanted = std::function<void(const RoomWanted&)>;

  Links(CoreParts& parts, Stats& stats, const RoomStates& rooms, Wanted wanted);

  Result<void> load();
  const Link* of_room(const std::string& network, const std::string& room) const;  // active ones only
  std::vector<RoomWanted> wanted(const std::string& network) const;
  void command(const Command& command, std::function<void(CommandReply)> reply);
  std::vector<LinkView> views() const;
  void set(const std::string& id, const std::string& state, std::function<void(Result<LinkView>)> done);

 private:
  using Reply = std::function<void(std::string text, bool ok)>;
  void link(const Command& command, const std::string& network, const std::string& room, Reply reply);
  void unlink(const Command& command, Reply reply);
  std::string list(const Command& command) const;
  Link* find(const std::string& network, const std::string& room);
  void store(Link link, std::function<void(Result<void>)> done);
  void put_in_force(Link link);
  void tell(const Link& link, bool gone);
  LinkView view(const Link& link) const;
  bool prove(Link& link, const Command& command) const;

  CoreParts& parts_;
  Stats& stats_;
  const RoomStates& rooms_;
  Wanted wanted_;
  std::map<std::string, Link> links_;
  std::map<std::string, std::string> by_room_;  // "network/room" -> id, active and suspended links and proven ends
  std::shared_ptr<int> life_ = std::make_shared<int>(0);
};

}  // namespace fedgate::pipeline
