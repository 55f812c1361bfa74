#include "adapters/matrix/ids.h"

#include <algorithm>

#include "gateway/base/utf8.h"

namespace fedgate::matrix {

bool is_user_id(std::string_view id) {
  if (id.size() > kUserIdBytesMax || !id.starts_with('@') || !is_valid_utf8(id)) return false;
  std::size_t colon = id.find(':');
  if (colon == std::string_view::npos || colon < 2 || colon + 1 >= id.size()) return false;
  return std::none_of(id.begin(), id.end(), [](unsigned char c) { return c < 0x21 || c == 0x7f; });
}

std::string_view domain_of(std::string_view user_id) {
  std::size_t colon = user_id.find(':');
  return colon == std::string_view::npos ? std::string_view{} : user_id.substr(colon + 1);
}

std::string local_part(std::string_view user_id) {
  std::size_t colon = user_id.find(':');
  return colon == std::string_view::npos || colon < 1 ? std::string() : std::string(user_id.substr(1, colon - 1));
}

std::string ghost_id(const Config& config, std::string_view network, std::string_view native_id) {
  std::size_t around = 1 + kGhostPrefix.size() + 1 + config.domain.size();
  return "@" + std::string(kGhostPrefix) + make_ghost_name(network, native_id, kUserIdBytesMax - around) + ":" + config.domain;
}

std::optional<GhostName> parse_ghost_id(const Config& config, std::string_view user_id) {
  if (!is_user_id(user_id) || domain_of(user_id) != config.domain) return std::nullopt;
  std::string local = local_part(user_id);
  if (!local.starts_with(kGhostPrefix)) return std::nullopt;
  return parse_ghost_name(std::string_view(local).substr(kGhostPrefix.size()));
}

bool is_ours(const Config& config, std::string_view user_id) {
  if (domain_of(user_id) != config.domain) return false;
  return user_id == config.bot_id() || user_id.substr(1).starts_with(kGhostPrefix);
}

}  // namespace fedgate::matrix
