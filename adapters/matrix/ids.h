// Matrix identifiers (specification, appendix "Identifier Grammar") and which of them are ours. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adapters/matrix/config.h"
#include "gateway/base/ghost_name.h"

namespace fedgate::matrix {

inline constexpr std::size_t kUserIdBytesMax = 255;
inline constexpr std::string_view kGhostPrefix = "_fedgate_";

// "@local:domain" with a local part and a domain, at most 255 bytes, no control characters. Historical ids with any printable local part are accepted.
bool is_user_id(std::string_view id);
std::string_view domain_of(std::string_view user_id);  // behind the first colon

// The ghost's user id for a remote address.
std::string ghost_id(const Config& config, std::string_view network, std::string_view native_id);
// nullopt if it is not in our namespace or no name that ghost_id makes.
std::optional<GhostName> parse_ghost_id(const Config& config, std::string_view user_id);
// Bot or anything in the ghost namespace.
bool is_ours(const Config& config, std::string_view user_id);
std::string local_part(std::string_view user_id);

}  // namespace fedgate::matrix
