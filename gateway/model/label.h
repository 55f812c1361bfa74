// Rank and label of an envelope (policy.md 2.1). Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fedgate::model {

enum class Rank : std::uint8_t { kOpen = 0, kInternal, kRestricted, kConfidential, kSecret, kTopSecret };
inline constexpr int kRanks = 6;

enum class LabelSource : std::uint8_t { kNone = 0, kRealmDefault, kPeerDefault, kRoom, kExplicit, kSigned, kConflict };

enum class CategoryType : std::uint8_t { kRestrictive = 0, kPermissive, kInformative };

struct Category {
  std::string set;
  CategoryType type = CategoryType::kRestrictive;
  std::vector<std::string> values;
  friend bool operator==(const Category&, const Category&) = default;
};

struct Label {
  std::string scheme;
  std::string level;
  Rank rank = Rank::kTopSecret;  // a label nobody filled in denies
  std::vector<Category> categories;
  LabelSource source = LabelSource::kNone;
  std::string originator;
  std::int64_t created_ms = 0;
  std::int64_t review_by_ms = 0;
  std::string marking;
  std::string original;       // as it came; never overwritten
  std::string original_type;
  std::vector<Label> equivalents;
  friend bool operator==(const Label&, const Label&) = default;
};

std::string_view to_text(Rank rank);                     // "OPEN" … "TOPSECRET"
std::optional<Rank> rank_from_text(std::string_view text);
std::string_view to_text(LabelSource source);            // "none", "realm_default", "peer_default", "room", "explicit", "signed", "conflict"

}  // namespace fedgate::model
