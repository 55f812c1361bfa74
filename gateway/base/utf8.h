// UTF-8 (RFC 3629): strict validation and replacement. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fedgate {

// No overlong forms, no surrogates, nothing above U+10FFFF.
bool is_valid_utf8(std::string_view bytes);

// Every byte that belongs to no valid sequence becomes U+FFFD.
std::string replace_invalid_utf8(std::string_view bytes);

// Reads one code point at `at` of valid UTF-8 and advances `at`.
char32_t next_code_point(std::string_view text, std::size_t& at);
void append_code_point(std::string& out, char32_t code_point);

// Number of code points of valid UTF-8.
std::size_t code_points(std::string_view text);

}  // namespace fedgate
