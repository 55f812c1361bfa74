#include "gateway/model/envelope.h"

#include <array>

namespace fedgate::model {

std::string_view to_text(Assurance assurance) {
  static constexpr std::array<std::string_view, 4> kNames = {"none", "account", "domain", "signed"};
  return kNames[static_cast<std::size_t>(assurance)];
}

std::string_view to_text(Protection protection) {
  static constexpr std::array<std::string_view, 5> kNames = {"unspecified", "none", "tls", "e2e-to-gateway", "vs-approved"};
  return kNames[static_cast<std::size_t>(protection)];
}

}  // namespace fedgate::model
