// split_text: a long text in parts that a target takes. Pure.
//
// The parts joined are the text, byte for byte. A part ends behind a line break or a blank when one stands in its last quarter, otherwise on a grapheme boundary (UAX #29);
// only a single grapheme that is larger than a whole part is cut between code points.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fedgate::render {

// `text` is valid UTF-8; bytes_max 0 = no limit, otherwise at least 4. At least one part, also for an empty text.
std::vector<std::string> split_text(std::string_view text, std::size_t bytes_max);

}  // namespace fedgate::render
