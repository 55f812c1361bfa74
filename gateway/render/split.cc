#include "gateway/render/split.h"

#include <unicode/brkiter.h>
#include <unicode/utext.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace fedgate::render {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Where the first part of text ends: the last grapheme boundary at or before bytes_max.
std::size_t grapheme_end(std::string_view text, std::size_t bytes_max) {
  // A window keeps this linear; graphemes longer than the window's slack are cut between code points.
  std::size_t window = std::min(text.size(), bytes_max + 64);
  while (window < text.size() && is_continuation(text[window])) --window;
  UErrorCode status = U_ZERO_ERROR;
  UText opened = UTEXT_INITIALIZER;
  utext_openUTF8(&opened, text.data(), static_cast<std::int64_t>(window), &status);
  std::unique_ptr<icu::BreakIterator> graphemes(icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
  if (U_FAILURE(status)) std::abort();  // ICU without its data: the installation is broken
  graphemes->setText(&opened, status);
  auto end = graphemes->preceding(static_cast<std::int32_t>(bytes_max + 1));
  utext_close(&opened);
  if (end != icu::BreakIterator::DONE && end > 0) return static_cast<std::size_t>(end);
  std::size_t cut = bytes_max;
  while (cut > 0 && is_continuation(text[cut])) --cut;
  return cut;
}

std::size_t part_end(std::string_view text, std::size_t bytes_max) {
  std::size_t end = grapheme_end(text, bytes_max);
  std::size_t quarter = end - end / 4;
  for (char wanted : {'\n', ' '}) {
    std::size_t found = text.substr(0, end).rfind(wanted);
    if (found != std::string_view::npos && found >= quarter && grapheme_end(text, found + 1) == found + 1) return found + 1;
  }
  return end;
}

}  // namespace

std::vector<std::string> split_text(std::string_view text, std::size_t bytes_max) {
  std::vector<std::string> parts;
  while (bytes_max != 0 && text.size() > bytes_max) {
    std::size_t end = part_end(text, bytes_max);
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  if (!text.empty() || parts.empty()) parts.emplace_back(text);
  return parts;
}

}  // namespace fedgate::render
