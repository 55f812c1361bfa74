// The body of an envelope: exactly one kind. Kinds that fedgate does not carry yet arrive as Uncarried: the core knows what it was (policy, trace and the
// sender's notice need that) and nothing else of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/model/address.h"

namespace fedgate::model {

// The closed list that policy speaks of. Order is stored: append only.
enum class Kind : std::uint8_t {
  kText = 0, kFile, kEdit, kRetract, kReaction, kReceipt, kTyping, kMembership, kRoomChange, kPoll, kLocation, kNotice, kUnsupported,
};
inline constexpr int kKinds = 13;
std::string_view to_text(Kind kind);  // "text", "file", "edit", "retract", …

struct Mention {
  Address address;
  std::uint32_t start = 0;  // code points of Text::plain, half open
  std::uint32_t end = 0;
  friend bool operator==(const Mention&, const Mention&) = default;
};

struct Text {
  std::string plain;
  std::string html;
  bool emote = false;
  std::vector<Mention> mentions;
  friend bool operator==(const Text&, const Text&) = default;
};

// What became of a message, told on its origin network.
struct Notice {
  enum class State : std::uint8_t { kUnspecified = 0, kRefused, kDelayed, kDelivered, kFailed, kUncertain, kExpired, kInformation };
  State state = State::kUnspecified;
  std::string about_native_id;
  std::string reason_code;
  std::string decision_id;
  std::string text;
  std::string target_network;
  friend bool operator==(const Notice&, const Notice&) = default;
};

struct Uncarried {
  Kind kind = Kind::kUnsupported;
  std::string what;     // short machine word
  bool opaque = false;  // encrypted, unreadable for us
  friend bool operator==(const Uncarried&, const Uncarried&) = default;
};

using Body = std::variant<Text, Notice, Uncarried>;

Kind kind_of(const Body& body);

}  // namespace fedgate::model
