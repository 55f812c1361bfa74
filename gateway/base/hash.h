// SHA-256 (FIPS 180-4) over parts, and constant-time comparison. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace fedgate {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::string_view bytes);

// Each part is preceded by its length, so that ("ab","c") and ("a","bc") differ: the way every derived id of fedgate is made.
Sha256 sha256_of_parts(std::initializer_list<std::string_view> parts);

std::string hex(std::string_view bytes);

// Takes time that depends on the lengths only. For secrets and tokens.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace fedgate
