// Unicode hygiene for everything that people typed. Pure; any thread.
//
// Text: NFC; CR LF and CR become LF; characters that XML 1.0 forbids and other control characters (but LF and TAB) become U+FFFD. Names additionally lose line breaks, bidirectional
// controls and zero-width characters (they can make a name look like another), are trimmed, and are cut to 256 bytes on a grapheme boundary.
#pragma once

#include <string>
#include <string_view>

namespace fedgate::normalise {

inline constexpr std::size_t kDisplayNameBytesMax = 256;

// `text` need not be valid UTF-8; the result is.
std::string normalise_text(std::string_view text);
std::string normalise_display_name(std::string_view name);

}  // namespace fedgate::normalise
