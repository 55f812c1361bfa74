#include "gateway/model/label.h"

#include <array>

namespace fedgate::model {
namespace {
constexpr std::array<std::string_view, kRanks> kRankNames = {"OPEN", "INTERNAL", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOPSECRET"};
constexpr std::array<std::string_view, 7> kSourceNames = {"none", "realm_default", "peer_default", "room", "explicit", "signed", "conflict"};
}  // namespace

std::string_view to_text(Rank rank) { return kRankNames[static_cast<std::size_t>(rank)]; }

std::optional<Rank> rank_from_text(std::string_view text) {
  for (std::size_t i = 0; i < kRankNames.size(); ++i)
    if (kRankNames[i] == text) return static_cast<Rank>(i);
  return std::nullopt;
}

std::string_view to_text(LabelSource source) { return kSourceNames[static_cast<std::size_t>(source)]; }

}  // namespace fedgate::model
