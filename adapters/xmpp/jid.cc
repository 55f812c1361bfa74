#include "adapters/xmpp/jid.h"

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "gateway/base/utf8.h"

namespace fedgate::xmpp {
namespace {

constexpr std::size_t kPartBytesMax = 1023;

std::string fold(std::string_view text) {
  bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; });
  if (plain) {
    std::string out(text);
    for (char& c : out)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
  }
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfkc = icu::Normalizer2::getNFKCCasefoldInstance(status);
  if (U_FAILURE(status)) std::abort();  // ICU without its data: the installation is broken
  icu::UnicodeString folded = nfkc->normalize(icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size()))), status);
  std::string out;
  if (U_SUCCESS(status)) folded.toUTF8String(out);
  return out;
}

bool has_forbidden(std::string_view text, std::string_view forbidden) {
  for (std::size_t at = 0; at < text.size();) {
    char32_t c = next_code_point(text, at);
    if (c <= 0x20 || (c >= 0x7f && c <= 0xa0) || (c < 0x80 && forbidden.find(static_cast<char>(c)) != std::string_view::npos)) return true;
  }
  return false;
}

}  // namespace

std::optional<Jid> Jid::parse(std::string_view text) {
  if (!is_valid_utf8(text)) return std::nullopt;
  Jid out;
  std::size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    out.resource = std::string(text.substr(slash + 1));
    if (out.resource.empty() || out.resource.size() > kPartBytesMax) return std::nullopt;
    text = text.substr(0, slash);
  }
  std::size_t at = text.find('@');
  if (at != std::string_view::npos) {
    out.local = fold(text.substr(0, at));
    if (out.local.empty() || out.local.size() > kPartBytesMax || has_forbidden(out.local, "\"&'/:<>@")) return std::nullopt;
    text = text.substr(at + 1);
  }
  out.domain = fold(text);
  if (out.domain.ends_with('.')) out.domain.pop_back();
  if (out.domain.ends_with('.')) return std::nullopt;
  if (out.domain.empty() || out.domain.size() > kPartBytesMax || has_forbidden(out.domain, "\"&'/<>@")) return std::nullopt;
  return out;
}

std::string unescape_local(std::string_view local) {
  static constexpr std::array<std::pair<std::string_view, char>, 10> kEscapes = {
      {{"20", ' '}, {"22", '"'}, {"26", '&'}, {"27", '\''}, {"2f", '/'}, {"3a", ':'}, {"3c", '<'}, {"3e", '>'}, {"40", '@'}, {"5c", '\\'}}};
  std::string out;
  for (std::size_t i = 0; i < local.size(); ++i) {
    bool replaced = false;
    if (local[i] == '\\')
      for (const auto& [code, character] : kEscapes)
        if (local.substr(i + 1, 2) == code) {
          out.push_back(character);
          i += 2;
          replaced = true;
          break;
        }
    if (!replaced) out.push_back(local[i]);
  }
  return out;
}

}  // namespace fedgate::xmpp
