// Jid: an XMPP address (RFC 7622), parsed by our own rules: "/" first, then "@". A value, always canonical: local part and domain lower-cased and NFC, no trailing dot.
//
// Limits: each part at most 1,023 bytes. Local part: PRECIS UsernameCaseMapped as far as it matters for telling addresses apart (case, width, NFC, forbidden ASCII, no controls or spaces).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fedgate::xmpp {

struct Jid {
  std::string local;
  std::string domain;
  std::string resource;

  static std::optional<Jid> parse(std::string_view text);
  std::string bare() const { return local.empty() ? domain : local + "@" + domain; }
  std::string full() const { return resource.empty() ? bare() : bare() + "/" + resource; }
};

// XEP-0106: exactly the ten escapes, once, left to right.
std::string unescape_local(std::string_view local);

}  // namespace fedgate::xmpp
