// Decision: what policy said about one envelope towards one realm, and why. The same value is stored, counted, explained and told.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/model/ids.h"

namespace fedgate::model {

enum class Verdict : std::uint8_t { kDeny = 0, kHold, kAllow };
enum class Layer : std::uint8_t { kInvariant = 0, kLabel, kRules };  // L0, L1, L2 of policy.md 0.1

struct Decision {
  DecisionId id;
  std::string target_network;
  std::string target_realm;
  Verdict verdict = Verdict::kDeny;
  Layer layer = Layer::kInvariant;
  std::string reason_code;  // empty when allowed
  std::string rule;         // id of the determining rule; empty on L0 and L1
  std::string policy;       // "id@version"
  friend bool operator==(const Decision&, const Decision&) = default;
};

std::string_view to_text(Verdict verdict);  // "deny", "hold", "allow"
std::string_view to_text(Layer layer);      // "L0", "L1", "L2"

// Neutral words for the sender of a refused message; never content, never details of the other side. Unknown codes get a general text.
std::string_view sender_text(std::string_view reason_code);
// Whether the table has words for this code.
bool has_sender_text(std::string_view reason_code);

}  // namespace fedgate::model
