// Base32 (RFC 4648 §6) in lower case without padding: for ids that people read aloud and systems fold to one case.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fedgate {

std::string base32_encode(std::string_view bytes);

// Accepts both cases. nullopt on a foreign character, on an impossible length and on nonzero bits behind the end.
std::optional<std::string> base32_decode(std::string_view text);

}  // namespace fedgate
