// RoomStates: the last thing each adapter said about each bridged room, and the realms that follow from it. Kept in KeyValue bucket "rooms", so that a restart
// does not forget who is in a room while its adapter is away.
//
// Owned by Shard; its thread. Limits: 10,000 domains per room are kept; more count as members unknown.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/pipeline/core.h"
#include "gateway/pipeline/realms.h"

namespace fedgate::pipeline {

class RoomStates {
 public:
  struct Known {
    RoomState state;
    std::vector<policy::RealmIndex> realms;
  };

  RoomStates(CoreParts& parts, Stats& stats, Realms& realms) : parts_(parts), stats_(stats), realms_(realms) {}

  Result<void> load();
  void set(RoomState state);
  const Known* find(const std::string& network, const std::string& room) const;

 private:
  void keep(RoomState state);

  CoreParts& parts_;
  Stats& stats_;
  Realms& realms_;
  std::map<std::pair<std::string, std::string>, Known> rooms_;
  std::shared_ptr<int> life_ = std::make_shared<int>(0);
};

}  // namespace fedgate::pipeline
