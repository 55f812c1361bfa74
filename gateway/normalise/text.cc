#include "gateway/normalise/text.h"

#include <unicode/normalizer2.h>

#include <algorithm>
#include <cstdlib>

#include "gateway/base/utf8.h"
#include "gateway/render/split.h"

namespace fedgate::normalise {
namespace {

constexpr char32_t kReplacement = 0xfffd;

bool is_plain_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t'; });
}

bool is_forbidden(char32_t c) {
  return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c <= 0x9f) || (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
}

// Explicit embeddings, overrides and isolates, marks, joiners that show nothing, and the byte order mark.
bool is_invisible(char32_t c) {
  return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || (c >= 0x200b && c <= 0x200f) || c == 0x2060 || c == 0xfeff || c == 0x061c ||
         c == 0x2028 || c == 0x2029;
}

const icu::Normalizer2& nfc() {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* instance = icu::Normalizer2::getNFCInstance(status);
  if (U_FAILURE(status)) std::abort();  // ICU without its data: the installation is broken
  return *instance;
}

std::string to_nfc(const std::string& text) {
  UErrorCode status = U_ZERO_ERROR;
  if (nfc().isNormalizedUTF8(text, status) && U_SUCCESS(status)) return text;
  std::string out;
  icu::StringByteSink<std::string> sink(&out);
  status = U_ZERO_ERROR;
  nfc().normalizeUTF8(0, text, sink, nullptr, status);
  return U_SUCCESS(status) ? out : text;
}

}  // namespace

std::string normalise_text(std::string_view text) {
  if (is_plain_ascii(text)) return std::string(text);
  std::string valid = is_valid_utf8(text) ? std::string(text) : replace_invalid_utf8(text);
  std::string clean;
  clean.reserve(valid.size());
  for (std::size_t at = 0; at < valid.size();) {
    char32_t c = next_code_point(valid, at);
    if (c == '\r') {
      if (at >= valid.size() || valid[at] != '\n') clean.push_back('\n');
    } else {
      append_code_point(clean, is_forbidden(c) ? kReplacement : c);
    }
  }
  return to_nfc(clean);
}

std::string normalise_display_name(std::string_view name) {
  std::string text = normalise_text(name);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    char32_t c = next_code_point(text, at);
    if (is_invisible(c) || c == kReplacement) continue;
    append_code_point(out, c == '\n' || c == '\t' ? U' ' : c);
  }
  std::size_t begin = out.find_first_not_of(' ');
  if (begin == std::string::npos) return {};
  out = out.substr(begin, out.find_last_not_of(' ') - begin + 1);
  if (out.size() > kDisplayNameBytesMax) out = render::split_text(out, kDisplayNameBytesMax).front();
  return out;
}

}  // namespace fedgate::normalise
