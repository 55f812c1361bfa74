#include "gateway/model/ids.h"

#include <cstring>
#include <string>

namespace fedgate::model {
namespace {

template <class Id>
Id head_of(const Sha256& digest) {
  std::array<std::uint8_t, Id::kBytes> bytes;
  std::memcpy(bytes.data(), digest.data(), bytes.size());
  return Id(bytes);
}

}  // namespace

MessageId derive_message_id(std::string_view network, std::string_view dedup_key) {
  return head_of<MessageId>(sha256_of_parts({"message", network, dedup_key}));
}

DeliveryId derive_delivery_id(const MessageId& message, std::string_view network, std::string_view conversation_key, std::uint32_t part,
                              std::string_view purpose) {
  return head_of<DeliveryId>(
      sha256_of_parts({"delivery", message.bytes(), network, conversation_key, std::to_string(part), purpose}));
}

DecisionId derive_decision_id(const MessageId& message, std::string_view target_network, std::string_view target_realm) {
  return head_of<DecisionId>(sha256_of_parts({"decision", message.bytes(), target_network, target_realm}));
}

}  // namespace fedgate::model
