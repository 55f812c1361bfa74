#include "gateway/settings/settings.h"

namespace fedgate::settings {
namespace {

bool matches_suffix(std::string_view pattern, std::string_view domain) {
  // "*.land.example" covers every name below land.example, not land.example itself.
  std::string_view suffix = pattern.substr(1);
  return domain.size() > suffix.size() && domain.ends_with(suffix);
}

bool is_own_domain(const Network& network, std::string_view domain) {
  if (network.matrix) return domain == network.matrix->domain;
  if (network.xmpp) return domain == network.xmpp->server_domain;
  return false;
}

}  // namespace

std::string_view domain_of(const Network& network, std::string_view native_id) {
  if (network.adapter == "matrix") {
    std::size_t colon = native_id.find(':');
    return colon == std::string_view::npos ? std::string_view{} : native_id.substr(colon + 1);
  }
  std::string_view bare = native_id.substr(0, native_id.find('/'));
  std::size_t at = bare.find('@');
  return at == std::string_view::npos ? bare : bare.substr(at + 1);
}

std::string realm_of(const Network& network, std::string_view native_id) {
  std::string_view domain = domain_of(network, native_id);
  const std::pair<std::string, std::string>* best = nullptr;
  for (const auto& entry : network.domains) {
    bool matches = entry.first.starts_with("*.") ? matches_suffix(entry.first, domain) : entry.first == domain;
    // An exact entry is always longer than the suffix of a pattern that matches the same domain.
    if (matches && (best == nullptr || entry.first.size() > best->first.size() || !entry.first.starts_with("*."))) best = &entry;
    if (matches && !entry.first.starts_with("*.")) break;
  }
  if (best != nullptr) return best->second;
  return !domain.empty() && is_own_domain(network, domain) ? network.realm : "unknown";
}

}  // namespace fedgate::settings
