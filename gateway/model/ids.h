// The ids of the core, each its own type. How each is derived is said here and nowhere else.
#pragma once

#include <string_view>

#include "gateway/base/hash.h"
#include "gateway/base/id.h"

namespace fedgate::model {

using MessageId = Id128<struct MessageTag>;
using DeliveryId = Id128<struct DeliveryTag>;
using DecisionId = Id128<struct DecisionTag>;

// The same message submitted twice has the same id: it depends on the origin network and the adapter's dedup_key alone.
MessageId derive_message_id(std::string_view network, std::string_view dedup_key);

// One part of one message to one conversation of one network; the same for every attempt and after every restart.
// `purpose` separates what is sent because of the same message: "message", or "notice/<state>" for what the sender is told.
DeliveryId derive_delivery_id(const MessageId& message, std::string_view network, std::string_view conversation_key, std::uint32_t part,
                              std::string_view purpose);

DecisionId derive_decision_id(const MessageId& message, std::string_view target_network, std::string_view target_realm);

}  // namespace fedgate::model
