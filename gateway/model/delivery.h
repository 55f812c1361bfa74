// Delivery: one part of one envelope to one conversation of one network, and how it ended. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/model/address.h"
#include "gateway/model/body.h"
#include "gateway/model/ids.h"

namespace fedgate::model {

// Messages and notices have lanes of their own: what the sender is told can never delay a message.
enum class LaneClass : std::uint8_t { kMessage = 0, kNotice };

struct Delivery {
  DeliveryId id;
  std::string network;        // target
  Conversation conversation;  // on the target network
  std::uint32_t part = 0;
  std::uint32_t parts = 1;
  LaneClass cls = LaneClass::kMessage;
  std::optional<Body> body;   // only if it differs from the envelope's
  friend bool operator==(const Delivery&, const Delivery&) = default;
};

// The end of a delivery: exactly one of these (design §5.1). Order is stored: append only.
enum class Outcome : std::uint8_t {
  kPending = 0,   // not an end
  kDelivered,
  kExpired,
  kDead,          // the target network refused it for good; kept for `fedgate dead`
  kUncertain,     // may have been delivered; dead as well, and told in other words
  kDropped,       // a dead one that the operator dropped
  kRequeued,      // a dead one that the operator took up again (pending once more)
};
inline constexpr int kOutcomes = 7;
std::string_view to_text(Outcome outcome);

struct Settlement {
  DeliveryId delivery;
  MessageId message;
  Outcome outcome = Outcome::kPending;
  std::vector<std::string> native_ids;
  std::string reason_code;
  std::string reason;
  std::int64_t at_ms = 0;
  std::uint32_t attempts = 0;
  friend bool operator==(const Settlement&, const Settlement&) = default;
};

}  // namespace fedgate::model
