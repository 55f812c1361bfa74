// Address: somebody on one network. Conversation: where an envelope belongs, seen from one network.
#pragma once

#include <compare>
#include <string>
#include <utility>

namespace fedgate::model {

struct Address {
  std::string network;    // [a-z][a-z0-9-]{0,30}
  std::string native_id;  // canonical form of its network

  std::string text() const { return network + ":" + native_id; }
  friend auto operator<=>(const Address&, const Address&) = default;
};

// Direct: `peer` is the other party. On submission the remote address behind the ghost, on delivery the recipient.
// Room: `room` is the native id on the network that submits or receives.
struct Conversation {
  Address peer;
  std::string room;

  bool is_room() const { return !room.empty(); }
  // Unique within the network it is seen from: "r/<room>" or "d/<network>:<native id>".
  std::string key() const { return is_room() ? "r/" + room : "d/" + peer.text(); }
  friend auto operator<=>(const Conversation&, const Conversation&) = default;

  static Conversation direct(Address peer) { return {std::move(peer), {}}; }
  static Conversation in_room(std::string room) { return {{}, std::move(room)}; }
};

}  // namespace fedgate::model
