// The one escaping by which remote users get a local name on every network: `<network>.<escaped native id>` (design §10).
//
// Reversible: `a-z 0-9 . -` stay, every other byte of the UTF-8 form becomes `=xx` in lower-case hex. A name that would be longer than its network allows becomes
// `<network>._<26 characters of base32(SHA-256)>`; who makes one must remember the address, since it cannot be read back. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fedgate {

struct GhostName {
  std::string network;
  std::string native_id;  // empty when `hashed` is set
  std::string hashed;     // the 26 characters, when the name was too long
};

// At most `bytes_max` bytes; hashed form if the escaped one would be longer. bytes_max ≥ 60.
std::string make_ghost_name(std::string_view network, std::string_view native_id, std::size_t bytes_max);

// nullopt if it is no name that make_ghost_name makes: wrong network name, foreign character, upper-case hex, needless escape, invalid UTF-8.
std::optional<GhostName> parse_ghost_name(std::string_view local_part);

// [a-z][a-z0-9-]{0,30}
bool is_network_name(std::string_view name);

}  // namespace fedgate
