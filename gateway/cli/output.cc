#include "gateway/cli/output.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "gateway/base/utf8.h"

namespace fedgate::cli {

std::string printable(std::string_view text) {
  std::string valid = replace_invalid_utf8(text);
  std::string out;
  for (std::size_t at = 0; at < valid.size();) {
    char32_t c = next_code_point(valid, at);
    // C0, DEL, C1, and what turns the reading direction round.
    bool hostile = c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x2028 || c == 0x2029;
    append_code_point(out, hostile ? U'\ufffd' : c);
  }
  return out;
}

std::string table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> all{header};
  for (const auto& row : rows) {
    auto& cells = all.emplace_back();
    for (const auto& cell : row) cells.push_back(cell.empty() ? "-" : printable(cell));
  }
  std::vector<std::size_t> widths;
  for (const auto& row : all)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (widths.size() <= i) widths.push_back(0);
      widths[i] = std::max(widths[i], code_points(row[i]));
    }
  std::string out;
  for (const auto& row : all) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - code_points(row[i]) + 2, ' ');
    }
    out += line + "\n";
  }
  return out;
}

std::string local_time(std::int64_t at_ms) {
  if (at_ms <= 0) return "-";
  std::time_t seconds = static_cast<std::time_t>(at_ms / 1000);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  char text[40], whole[48];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
  std::snprintf(whole, sizeof whole, "%s.%03d", text, static_cast<int>(at_ms % 1000));
  return whole;
}

std::string duration(std::int64_t ms) {
  if (ms < 0) return "-" + duration(ms == INT64_MIN ? INT64_MAX : -ms);
  if (ms < 1000) return std::to_string(ms) + " ms";
  std::int64_t s = ms / 1000;
  if (s < 60) return std::to_string(s) + "." + std::to_string(ms % 1000 / 100) + " s";
  if (s < 3600) return std::to_string(s / 60) + " min " + std::to_string(s % 60) + " s";
  if (s < 86400) return std::to_string(s / 3600) + " h " + std::to_string(s % 3600 / 60) + " min";
  return std::to_string(s / 86400) + " d " + std::to_string(s % 86400 / 3600) + " h";
}

}  // namespace fedgate::cli
