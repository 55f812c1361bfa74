#include "gateway/model/delivery.h"

#include <array>

namespace fedgate::model {

std::string_view to_text(Outcome outcome) {
  static constexpr std::array<std::string_view, kOutcomes> kNames = {"pending", "delivered", "expired", "dead", "uncertain", "dropped", "requeued"};
  return kNames[static_cast<std::size_t>(outcome)];
}

}  // namespace fedgate::model
