#include <doctest/doctest.h>

#include "adapters/xmpp/element.h"
#include "adapters/xmpp/from_wire.h"
#include "adapters/xmpp/jid.h"
#include "adapters/xmpp/names.h"
#include "adapters/xmpp/stream_parser.h"
#include "adapters/xmpp/to_wire.h"
#include "gateway/base/random.h"
#include "gateway/base/utf8.h"

namespace fedgate::xmpp {
namespace {

constexpr const char* kOpen = "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='7' from='gw'>";

struct Parsed {
  std::vector<Element> stanzas;
  std::vector<Element> oversize;
  Result<void> fed;
  bool closed = false;

  explicit Parsed(const std::string& xml, std::size_t chunk = 1 << 20, ParserLimits limits = {}) {
    StreamParser parser({{}, [&](Element& stanza) { stanzas.push_back(std::move(stanza)); }, [&](const Element& head) { oversize.push_back(head); }, [&] { closed = true; }}, limits);
    std::string all = kOpen + xml;
    for (std::size_t at = 0; at < all.size() && fed; at += chunk) fed = parser.feed(std::string_view(all).substr(at, chunk));
  }
};

Element message(const std::string& inner, const std::string& attributes = "from='anna@a/x' to='g@gw' id='1' type='chat'") {
  Parsed parsed("<message " + attributes + ">" + inner + "</message>");
  REQUIRE(parsed.stanzas.size() == 1);
  return parsed.stanzas[0];
}

TEST_CASE("xmpp parser: stanzas come whole, whatever the pieces in which they arrive") {
  std::string xml = "<message from='a@b' id='1'><body>gr&#252;&lt;n 🙂</body><x xmlns='urn:x'><y/></x></message><iq id='2'/> <presence/>";
  for (std::size_t chunk : {1u, 3u, 7u, 1000u}) {
    Parsed parsed(xml, chunk);
    REQUIRE(parsed.stanzas.size() == 3);
    CHECK(parsed.stanzas[0].child("body")->text == "grü<n 🙂");
    CHECK(parsed.stanzas[0].child("x", "urn:x")->children.size() == 1);
    CHECK(parsed.stanzas[1].name == "iq");
  }
}

TEST_CASE("xmpp parser: an attribute in a namespace never passes for a plain one") {
  Element stanza = message("<body xml:lang='de'>x</body>", "xmlns:x='urn:x' x:from='admin@a' from='mallory@a' x:type='groupchat'");
  CHECK(stanza.attribute("from") == "mallory@a");
  CHECK(stanza.attribute("type") == "");
  CHECK(stanza.child("body")->attribute("xml:lang") == "de");
}

TEST_CASE("xmpp parser: a stanza over a limit is skipped and reported, the next one arrives") {
  std::string deep, shallow;
  for (int i = 0; i < 40; ++i) deep += "<a>";
  for (int i = 0; i < 40; ++i) deep += "</a>";
  for (int i = 0; i < 10001; ++i) shallow += "<a/>";
  std::string attributes;
  for (int i = 0; i < 40; ++i) attributes += " a" + std::to_string(i) + "='1'";
  for (const std::string& bad : {deep, shallow, "<body" + attributes + "/>", "<body>" + std::string(300u << 10, 'x') + "</body>", "<b>" + std::string(200u << 10, 'x') + "</b><b>" +
                                     std::string(200u << 10, 'x') + "</b><b>" + std::string(250u << 10, 'x') + "</b>"}) {
    Parsed parsed("<message from='a@b' id='big'>" + bad + "</message><message id='next'/>");
    REQUIRE(parsed.fed.has_value());
    REQUIRE(parsed.oversize.size() == 1);
    CHECK(parsed.oversize[0].attribute("id") == "big");
    REQUIRE(parsed.stanzas.size() == 1);
    CHECK(parsed.stanzas[0].attribute("id") == "next");
  }
}

TEST_CASE("xmpp parser: what has no place in a stream ends it with a reason") {
  struct Case { std::string xml, words; };
  for (const auto& [xml, words] : std::initializer_list<Case>{{"<!-- c -->", "comment"}, {"<?pi x?>", "processing instruction"}, {"<a></b>", "not well-formed"}, {"\x01", "not well-formed"},
                                                              {"<a b='1' b='2'/>", "not well-formed"}, {"<a>&undefined;</a>", "not well-formed"}, {"<a>\xff</a>", "not well-formed"}}) {
    Parsed parsed(xml);
    REQUIRE_FALSE(parsed.fed.has_value());
    CHECK(parsed.fed.error().message.find(words) != std::string::npos);
  }
  StreamParser doctype({{}, [](Element&) {}, [](const Element&) {}, {}});
  CHECK_FALSE(doctype.feed("<!DOCTYPE a [<!ENTITY b 'c'>]><a>").has_value());
  Parsed endless("<message a='" + std::string(3u << 20, 'x'));
  CHECK_FALSE(endless.fed.has_value());
}

TEST_CASE("xmpp writer: whatever is written can be read back, and nothing breaks out") {
  SeededRandom random(5);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::uint64_t i = random.below(30); i > 0; --i) append_code_point(text, static_cast<char32_t>(random.below(3) ? random.below(0x80) : random.below(0xd800)));
    Element stanza = make_stanza("message", text, "b", "", "id");
    stanza.add("body").with_text(text);
    stanza.add("x", "urn:x").add("y", "urn:x").with_text("</message><message to='victim'>");
    Parsed parsed(to_xml(stanza));
    REQUIRE(parsed.fed.has_value());
    REQUIRE(parsed.stanzas.size() == 1);
    REQUIRE(parsed.stanzas[0].children.size() == 2);
    CHECK(code_points(parsed.stanzas[0].child("body") ? parsed.stanzas[0].child("body")->text : "") == code_points(text));
    CHECK(parsed.stanzas[0].child("x", "urn:x")->child("y", "urn:x")->text == "</message><message to='victim'>");
  }
  CHECK(to_xml(make_stanza("message", "\xff\xfe", "b", "", "")).find("\xEF\xBF\xBD") != std::string::npos);
}

TEST_CASE("jid: parts are told apart by the first slash, then the first at") {
  struct Case { std::string text, local, domain, resource; };
  for (const auto& [text, local, domain, resource] : std::initializer_list<Case>{{"Anna@Polizei.Example/Büro 1", "anna", "polizei.example", "Büro 1"},
                                                                                 {"evil.example/x@trusted.example", "", "evil.example", "x@trusted.example"},
                                                                                 {"a@b/c/d@e", "a", "b", "c/d@e"},
                                                                                 {"example.", "", "example", ""},
                                                                                 {"ÄNNE@x", "änne", "x", ""},
                                                                                 {"ａｎｎａ@x", "anna", "x", ""}}) {
    auto jid = Jid::parse(text);
    REQUIRE_MESSAGE(jid.has_value(), text);
    CHECK(jid->local == local);
    CHECK(jid->domain == domain);
    CHECK(jid->resource == resource);
  }
  for (const std::string& bad : {std::string(""), std::string("@x"), std::string("a@"), std::string("a b@x"), std::string("a@x/"), std::string("a\"b@x"), std::string("a@b@c"), std::string("\xff@x"),
                                 std::string(1024, 'a') + "@x", std::string("a@b c"), std::string("a@b.."), std::string("a\x01@x"), std::string("a\xe2\x80\x8b") + std::string(" @x")})
    CHECK_MESSAGE(!Jid::parse(bad), bad);
}

TEST_CASE("jid: the ten escapes of XEP-0106, once and from left to right") {
  CHECK(unescape_local("d\\27a\\40x.org") == "d'a@x.org");
  CHECK(unescape_local("c\\3a\\5c5commas") == "c:\\5commas");
  CHECK(unescape_local("\\5c20") == "\\20");
  CHECK(unescape_local("a\\zz\\4") == "a\\zz\\4");
}

TEST_CASE("names: a ghost is who its name says, typed forms too, and nothing else") {
  auto nobody = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
  Config config;
  config.component = "fedgate.a";
  CHECK(ghost_jid(config, "bund", "@alice:bund.example") == "bund.=40alice=3abund.example@fedgate.a");
  CHECK(remote_of("bund.=40alice=3abund.example", nobody)->native_id == "@alice:bund.example");
  CHECK(remote_of("bund.\\40alice\\3abund.example", nobody)->native_id == "@alice:bund.example");
  CHECK_FALSE(remote_of("gateway", nobody).has_value());
  CHECK_FALSE(remote_of("bund.Alice", nobody).has_value());
  std::string longest = ghost_jid(config, "bund", "@" + std::string(2000, 'x'));
  std::string local = longest.substr(0, longest.find('@'));
  CHECK_FALSE(remote_of(local, nobody).has_value());
  CHECK(remote_of(local, [](const std::string&) -> std::optional<std::string> { return "@kept"; })->native_id == "@kept");
}

TEST_CASE("xmpp from wire: kinds are recognised before bodies are read") {
  auto what = [](const std::string& inner) -> std::string {
    auto body = body_of(message(inner));
    if (!body) return "nothing";
    if (body->has_text()) return (body->text().emote() ? "emote:" : "text:") + body->text().plain();
    if (body->has_unsupported()) return (body->unsupported().opaque() ? "opaque:" : "unsupported:") + body->unsupported().what();
    if (body->has_edit()) return "edit:" + body->edit().target().native_id();
    if (body->has_retraction()) return "retraction:" + body->retraction().target().native_id();
    if (body->has_reaction()) return "reaction:" + body->reaction().target().native_id();
    return "other";
  };
  struct Case { std::string inner, expected; };
  for (const auto& [inner, expected] : std::initializer_list<Case>{
           {"<body>hallo</body>", "text:hallo"},
           {"<body>/me winkt</body>", "emote:winkt"},
           {"<body>/meet</body>", "text:/meet"},
           {"<body/>", "nothing"},
           {"<composing xmlns='http://jabber.org/protocol/chatstates'/>", "nothing"},
           {"<received xmlns='urn:xmpp:receipts' id='1'/>", "nothing"},
           {"<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", "nothing"},
           {"<body xmlns='urn:other'>no</body>", "nothing"},
           {"<body>fallback</body><encrypted xmlns='eu.siacs.conversations.axolotl'/>", "opaque:omemo"},
           {"<body>fallback</body><encrypted xmlns='urn:xmpp:omemo:2'/>", "opaque:omemo"},
           {"<body>fallback</body><encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:omemo:2'/>", "opaque:omemo"},
           {"<body>fallback</body><encryption xmlns='urn:xmpp:eme:0' namespace='urn:new'/>", "opaque:encrypted"},
           {"<body>fallback</body><openpgp xmlns='urn:xmpp:openpgp:0'/>", "opaque:openpgp"},
           {"<body>fallback</body><x xmlns='jabber:x:encrypted'/>", "opaque:openpgp"},
           {"<body>?OTR:AAMC</body>", "opaque:otr"},
           {"<body>https://x/y.png</body><x xmlns='jabber:x:oob'><url>https://x/y.png</url></x>", "unsupported:file"},
           {"<body>look at this</body><x xmlns='jabber:x:oob'><url>https://x/y.png</url></x>", "text:look at this"},
           {"<file-sharing xmlns='urn:xmpp:sfs:0'/>", "unsupported:file"},
           {"<body>neu</body><replace xmlns='urn:xmpp:message-correct:0' id='m1'/>", "edit:m1"},
           {"<body>gone</body><retract xmlns='urn:xmpp:message-retract:1' id='m2'/>", "retraction:m2"},
           {"<body>gone</body><apply-to xmlns='urn:xmpp:fasten:0' id='m3'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to>", "retraction:m3"},
           {"<body>👍</body><reactions xmlns='urn:xmpp:reactions:0' id='m4'><reaction>👍</reaction></reactions>", "reaction:m4"}})
    CHECK_MESSAGE(what(inner) == expected, inner);
}

TEST_CASE("xmpp from wire: the same stanza is the same message; another sender, id or text is another") {
  Element one = message("<body>ok</body>");
  Element again = message("<body>ok</body>");
  Element other_text = message("<body>ok!</body>");
  Element other_id = message("<body>ok</body>", "id='2'");
  Element without = message("<body>ok</body>", "from='a'");
  CHECK(direct_dedup_key("a@b", one, "") == direct_dedup_key("a@b", again, ""));
  CHECK(direct_dedup_key("a@b", one, "") != direct_dedup_key("c@b", again, ""));
  CHECK(direct_dedup_key("a@b", one, "") != direct_dedup_key("a@b", other_text, ""));
  CHECK(direct_dedup_key("a@b", one, "") != direct_dedup_key("a@b", other_id, ""));
  CHECK(direct_dedup_key("a@b", without, "r1") != direct_dedup_key("a@b", without, "r2"));
}

TEST_CASE("xmpp from wire: stamps are read strictly and written as they are read") {
  CHECK(parse_stamp("1970-01-01T00:00:01Z") == 1000);
  CHECK(parse_stamp("2026-11-23T10:00:00.25Z").value() % 1000 == 250);
  CHECK(parse_stamp(stamp_of(1795407000123)) == 1795407000123);
  for (const char* bad : {"", "yesterday", "2026-13-01T00:00:00Z", "2026-11-23T10:00:00", "2026-11-23T10:00:00+02:00", "2026-02-30T00:00:00Z"}) CHECK_FALSE(parse_stamp(bad).has_value());
}

TEST_CASE("xmpp to wire: a text carries its ids, and its content only as text") {
  v1::Deliver delivery;
  delivery.set_delivery_id("abcdefghijklmnopqrstuvwxyz");
  delivery.set_delayed_since_ms(1000);
  auto& envelope = *delivery.mutable_envelope();
  envelope.mutable_sender()->set_display_name("Alice");
  envelope.mutable_body()->mutable_text()->set_plain("a</message><message to='victim@x'>");
  auto stanza = message_stanza(delivery, "g@gw/gw", "anna@a", false, "gw-a");
  REQUIRE(stanza.has_value());
  Parsed parsed(to_xml(*stanza));
  REQUIRE(parsed.stanzas.size() == 1);
  const Element& read = parsed.stanzas[0];
  CHECK(read.attribute("id") == delivery.delivery_id());
  CHECK(read.child("origin-id", "urn:xmpp:sid:0")->attribute("id") == delivery.delivery_id());
  CHECK(read.child("body")->text == "a</message><message to='victim@x'>");
  CHECK(read.child("delay", "urn:xmpp:delay")->attribute("stamp") == "1970-01-01T00:00:01.000Z");
  CHECK(read.child("request", "urn:xmpp:receipts") != nullptr);
  CHECK(read.child("provenance", "urn:fedgate:provenance:0")->children.back().text == "gw-a");
  auto group = message_stanza(delivery, "g@gw/gw", "r@m", true, "gw-a");
  CHECK(group->child("request", "urn:xmpp:receipts") == nullptr);
  envelope.mutable_body()->mutable_poll();
  CHECK_FALSE(message_stanza(delivery, "a", "b", false, "g").has_value());
}

TEST_CASE("xmpp to wire: a refusal says the condition of its code and never the content") {
  v1::Notice notice;
  notice.set_state(v1::Notice::REFUSED);
  notice.set_about_native_id("m1");
  notice.set_text("Not permitted.");
  struct Case { const char* code; const char* condition; };
  for (const auto& [code, condition] : {Case{"NO_SUCH_USER", "item-not-found"}, Case{"ENCRYPTED", "not-acceptable"}, Case{"NO_ALLOW_RULE", "forbidden"}, Case{"PEER_NOT_CLEARED", "policy-violation"},
                                        Case{"EXPIRED", "remote-server-timeout"}}) {
    notice.set_reason_code(code);
    Element stanza = refusal_stanza(notice, "g@gw", "anna@a/x");
    CHECK(stanza.attribute("type") == "error");
    CHECK(stanza.attribute("id") == "m1");
    CHECK(stanza.child("error")->child(condition, "urn:ietf:params:xml:ns:xmpp-stanzas") != nullptr);
  }
}

}  // namespace
}  // namespace fedgate::xmpp
