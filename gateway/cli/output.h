// What `fedgate` prints: aligned tables, times, durations. Pure; control characters of foreign text (ids, reasons) are replaced, so that nothing can drive a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fedgate::cli {

// Columns are as wide as their widest cell, counted in code points; two blanks between; no blanks at the end of a line.
std::string table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);

// One printable line: control characters and line ends become U+FFFD.
std::string printable(std::string_view text);

// Local time with milliseconds, "2026-03-01 14:05:06.789"; "-" for 0.
std::string local_time(std::int64_t at_ms);

// "0 ms", "340 ms", "12.3 s", "5 min 3 s", "2 h 5 min", "3 d 4 h".
std::string duration(std::int64_t ms);

}  // namespace fedgate::cli
