#include "adapters/xmpp/from_wire.h"

#include <chrono>
#include <cstdio>

#include "gateway/base/hash.h"

namespace fedgate::xmpp {

namespace {

struct Cipher {
  std::string_view ns;
  std::string_view what;
};
constexpr Cipher kCiphers[] = {{"eu.siacs.conversations.axolotl", "omemo"}, {"urn:xmpp:omemo:1", "omemo"},   {"urn:xmpp:omemo:2", "omemo"},
                               {"urn:xmpp:openpgp:0", "openpgp"},           {"jabber:x:encrypted", "openpgp"}, {"urn:xmpp:otr:0", "otr"}};

v1::Body unsupported(std::string_view what, bool opaque) {
  v1::Body body;
  body.mutable_unsupported()->set_what(std::string(what));
  body.mutable_unsupported()->set_opaque(opaque);
  return body;
}

std::optional<v1::Body> encrypted(const Element& message) {
  for (const Cipher& cipher : kCiphers)
    if (message.child_in(cipher.ns) != nullptr) return unsupported(cipher.what, true);
  if (const Element* eme = message.child("encryption", "urn:xmpp:eme:0")) {
    for (const Cipher& cipher : kCiphers)
      if (eme->attribute("namespace") == cipher.ns) return unsupported(cipher.what, true);
    return unsupported("encrypted", true);
  }
  const Element* body = message.child("body");
  if (body != nullptr && body->text.starts_with("?OTR")) return unsupported("otr", true);
  return std::nullopt;
}

std::optional<v1::Body> about_another(const Element& message) {
  v1::Body body;
  if (const Element* retract = message.child("retract", "urn:xmpp:message-retract:1")) {
    body.mutable_retraction()->mutable_target()->set_native_id(std::string(retract->attribute("id")));
    return body;
  }
  if (const Element* apply = message.child("apply-to", "urn:xmpp:fasten:0"); apply != nullptr && apply->child("retract", "urn:xmpp:message-retract:0") != nullptr) {
    body.mutable_retraction()->mutable_target()->set_native_id(std::string(apply->attribute("id")));
    return body;
  }
  if (const Element* reactions = message.child("reactions", "urn:xmpp:reactions:0")) {
    auto& reaction = *body.mutable_reaction();
    reaction.mutable_target()->set_native_id(std::string(reactions->attribute("id")));
    for (const Element& one : reactions->children)
      if (one.name == "reaction" && reaction.emoji_size() < 32) reaction.add_emoji(one.text.substr(0, 64));
    return body;
  }
  if (const Element* replace = message.child("replace", "urn:xmpp:message-correct:0")) {
    auto& edit = *body.mutable_edit();
    edit.mutable_target()->set_native_id(std::string(replace->attribute("id")));
    if (const Element* text = message.child("body")) edit.mutable_text()->set_plain(text->text);
    return body;
  }
  return std::nullopt;
}

}  // namespace

std::optional<v1::Body> body_of(const Element& message) {
  if (auto cipher = encrypted(message)) return cipher;
  if (auto other = about_another(message)) return other;
  const Element* text = message.child("body");
  const Element* file = message.child("x", "jabber:x:oob");
  if (file != nullptr) {
    const Element* url = file->child("url", "jabber:x:oob");
    if (url != nullptr && (text == nullptr || text->text.empty() || text->text == url->text)) return unsupported("file", false);
  }
  if (text == nullptr || text->text.empty()) {
    if (message.child("file-sharing", "urn:xmpp:sfs:0") != nullptr) return unsupported("file", false);
    return std::nullopt;
  }
  v1::Body body;
  auto& out = *body.mutable_text();
  if (text->text.starts_with("/me ")) {
    out.set_emote(true);
    out.set_plain(text->text.substr(4));
  } else {
    out.set_plain(text->text);
  }
  return body;
}

bool wants_receipt(const Element& message) { return message.child("request", "urn:xmpp:receipts") != nullptr; }

std::optional<std::int64_t> parse_stamp(std::string_view stamp) {
  int year, month, day, hour, minute, second, used = 0;
  std::string text(stamp.substr(0, 40));
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second, &used) != 6 || used != 19) return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)), std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  std::int64_t ms = (std::chrono::sys_days(date).time_since_epoch().count() * 86400LL + hour * 3600 + minute * 60 + second) * 1000;
  std::string_view rest = std::string_view(text).substr(19);
  if (rest.starts_with('.')) {
    int scale = 100;
    for (rest.remove_prefix(1); !rest.empty() && rest[0] >= '0' && rest[0] <= '9'; rest.remove_prefix(1), scale /= 10) ms += (rest[0] - '0') * scale;
  }
  return rest == "Z" || rest == "+00:00" ? std::optional(ms) : std::nullopt;
}

std::string stamp_of(std::int64_t unix_ms) {
  std::chrono::sys_time<std::chrono::milliseconds> at{std::chrono::milliseconds(unix_ms)};
  auto day = std::chrono::floor<std::chrono::days>(at);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss time(at - day);
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()), static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                static_cast<int>(time.subseconds().count()));
  return text;
}

std::string direct_dedup_key(const std::string& bare_from, const Element& message, const std::string& fresh) {
  std::string_view id = message.attribute("id");
  const Element* body = message.child("body");
  Sha256 digest = sha256_of_parts({bare_from, id.empty() ? std::string_view(fresh) : id, body != nullptr ? std::string_view(body->text) : std::string_view()});
  return "direct/" + hex({reinterpret_cast<const char*>(digest.data()), 20});
}

}  // namespace fedgate::xmpp
