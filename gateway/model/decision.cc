#include "gateway/model/decision.h"

#include <array>
#include <utility>

namespace fedgate::model {

std::string_view to_text(Verdict verdict) {
  static constexpr std::array<std::string_view, 3> kNames = {"deny", "hold", "allow"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::string_view to_text(Layer layer) {
  static constexpr std::array<std::string_view, 3> kNames = {"L0", "L1", "L2"};
  return kNames[static_cast<std::size_t>(layer)];
}

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 23> kTexts = {{
    {"NOT_RELEASABLE", "This message may not be released to that recipient."},
    {"PROTECTION_TOO_WEAK", "The way to that recipient is not protected well enough for this message."},
    {"LABEL_REQUIRED", "This message needs a classification label before it can be sent there."},
    {"LABEL_UNKNOWN", "The classification label of this message is not known here."},
    {"LEVEL_FORBIDDEN", "Messages of this classification level may not pass this gateway."},
    {"PEER_NOT_CLEARED", "That recipient is not cleared for messages of this classification level."},
    {"NO_EQUIVALENCE", "The classification level of this message has no equivalent on the other side."},
    {"CONTENT_REJECTED", "The content of this message was rejected."},
    {"HELD_FOR_RELEASE", "This message is held until somebody has released it."},
    {"RATE_LIMITED", "Too many messages in a short time. Please try again later."},
    {"TEMPORARY", "This message cannot be sent just now. Please try again later."},
    {"NO_ALLOW_RULE", "Messages from here to that recipient are not permitted."},
    {"POLICY_EXPIRED", "The policy of this gateway is out of date; nothing is sent until it is renewed."},
    {"NOT_PERMITTED", "Messages from here to that recipient are not permitted."},
    {"UNSUPPORTED_KIND", "Messages of this kind cannot be sent to the other network yet."},
    {"ENCRYPTED", "This message is end-to-end encrypted and cannot be read by the gateway. Please send it unencrypted or use another way."},
    {"ENCRYPTED_ROOM", "The other room is end-to-end encrypted; the gateway does not write unencrypted text into it."},
    {"NO_SUCH_NETWORK", "There is no network of that name."},
    {"NO_SUCH_USER", "There is no such user on the other network."},
    {"TOO_LARGE", "This message is too large for the gateway."},
    {"EXPIRED", "The other side was not reachable for too long."},
    {"NO_CONFIRMATION", "Nobody has confirmed that this message arrived."},
    {"REFUSED_BY_NETWORK", "The other network did not take this message."},
}};

const std::pair<std::string_view, std::string_view>* find_text(std::string_view reason_code) {
  for (const auto& entry : kTexts)
    if (entry.first == reason_code) return &entry;
  return nullptr;
}

}  // namespace

std::string_view sender_text(std::string_view reason_code) {
  const auto* found = find_text(reason_code);
  return found != nullptr ? found->second : "This message could not be sent.";
}

bool has_sender_text(std::string_view reason_code) { return find_text(reason_code) != nullptr; }

}  // namespace fedgate::model
