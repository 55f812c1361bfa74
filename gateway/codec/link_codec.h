// A stored link of rooms, as bytes in the KeyValue bucket "links". Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"

namespace fedgate::codec {

struct StoredLinkEnd {
  std::string network;
  std::string room;
  std::string proven_by;         // address of who showed power over the room; empty = not yet
  std::int64_t proven_at_ms = 0;
  friend bool operator==(const StoredLinkEnd&, const StoredLinkEnd&) = default;
};

struct StoredLink {
  enum class State { kPending = 0, kActive, kSuspended };
  std::string id;
  State state = State::kPending;
  std::vector<StoredLinkEnd> ends;
  bool from_configuration = false;
  std::string note;
  std::int64_t changed_at_ms = 0;
  friend bool operator==(const StoredLink&, const StoredLink&) = default;
};

std::string encode_link(const StoredLink& link);
Result<StoredLink> decode_link(std::string_view bytes);

}  // namespace fedgate::codec
