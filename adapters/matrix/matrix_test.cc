#include <doctest/doctest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "adapters/matrix/from_wire.h"
#include "adapters/matrix/ids.h"
#include "adapters/matrix/to_wire.h"

namespace fedgate::matrix {
namespace {

namespace json = boost::json;

Config config() { return {"bund", "bund.example", "http://h", "127.0.0.1:1", "a", "h", "fedgate"}; }

json::object event(const std::string& content, const std::string& type = "m.room.message", const std::string& sender = "@alice:bund.example") {
  return json::parse(R"({"type":")" + type + R"(","room_id":"!r","sender":")" + sender + R"(","event_id":"$e","origin_server_ts":5,"content":)" + content + "}").as_object();
}

std::string what(const json::object& given) {
  auto head = head_of(given);
  if (!head) return "malformed";
  auto envelope = from_event(config(), "gw-a", *head, given);
  if (!envelope) return "nothing";
  const v1::Body& body = envelope->body();
  if (body.has_text()) return (body.text().emote() ? "emote:" : "text:") + body.text().plain() + (body.text().html().empty() ? "" : "|" + body.text().html());
  if (body.has_unsupported()) return (body.unsupported().opaque() ? "opaque:" : "unsupported:") + body.unsupported().what();
  if (body.has_edit()) return "edit:" + body.edit().target().native_id() + ":" + body.edit().text().plain();
  if (body.has_reaction()) return "reaction:" + body.reaction().target().native_id() + ":" + body.reaction().emoji(0);
  if (body.has_retraction()) return "retraction:" + body.retraction().target().native_id();
  return "other";
}

TEST_CASE("matrix from wire: events become what they are") {
  struct Case { std::string content, expected; };
  for (const auto& [content, expected] : std::initializer_list<Case>{
           {R"({"msgtype":"m.text","body":"hallo"})", "text:hallo"},
           {R"({"msgtype":"m.notice","body":"hallo"})", "text:hallo"},
           {R"({"msgtype":"m.emote","body":"winkt"})", "emote:winkt"},
           {R"({"msgtype":"m.text","body":"a","format":"org.matrix.custom.html","formatted_body":"<b>a</b>"})", "text:a|<b>a</b>"},
           {R"({"msgtype":"m.text","body":"a","format":"other","formatted_body":"<b>a</b>"})", "text:a"},
           {R"({"msgtype":"m.image","body":"x.png","url":"mxc://a/b"})", "unsupported:m.image"},
           {R"({"msgtype":"m.location","body":"x"})", "unsupported:m.location"},
           {R"({"body":"no type"})", "unsupported:m.room.message"},
           {R"({})", "nothing"},
           {R"({"msgtype":"m.text"})", "nothing"},
           {R"({"msgtype":"m.text","body":7})", "nothing"},
           {R"({"msgtype":["m.text"],"body":"x"})", "unsupported:m.room.message"},
           {R"({"msgtype":"m.text","body":"> <@a:b> old\n\nnew","m.relates_to":{"m.in_reply_to":{"event_id":"$p"}}})", "text:new"},
           {R"({"msgtype":"m.text","body":"> quoted by hand\n\nnew"})", "text:> quoted by hand\n\nnew"},
           {R"({"msgtype":"m.text","body":"* new","m.new_content":{"msgtype":"m.text","body":"new"},"m.relates_to":{"rel_type":"m.replace","event_id":"$o"}})", "edit:$o:new"},
           {R"({"msgtype":"m.text","body":"x","m.relates_to":"nonsense"})", "text:x"},
           {R"({"msgtype":"m.text","body":"x","org.fedgate.delivery":{"id":"1","gateway":"gw-a"}})", "nothing"},
           {R"({"msgtype":"m.text","body":"x","org.fedgate.delivery":{"id":"1","gateway":"gw-b","hops":["gw-b",7]}})", "text:x"}})
    CHECK_MESSAGE(what(event(content)) == expected, content);
  CHECK(what(event(R"({"algorithm":"m.megolm.v1.aes-sha2","ciphertext":"x"})", "m.room.encrypted")) == "opaque:megolm");
  CHECK(what(event("{}", "m.room.encrypted")) == "nothing");
  CHECK(what(event(R"({"m.relates_to":{"rel_type":"m.annotation","event_id":"$t","key":"👍"}})", "m.reaction")) == "reaction:$t:👍");
  CHECK(what(event(R"({"redacts":"$t"})", "m.room.redaction")) == "retraction:$t");
  CHECK(what(event("{}", "m.room.redaction")) == "nothing");
  CHECK(what(event("{}", "m.sticker")) == "unsupported:m.sticker");
  CHECK(what(event("{}", "org.example.custom")) == "nothing");
}

TEST_CASE("matrix from wire: our own speak to nobody, and state is no message") {
  std::string text = R"({"msgtype":"m.text","body":"x"})";
  CHECK(what(event(text, "m.room.message", "@fedgate:bund.example")) == "nothing");
  CHECK(what(event(text, "m.room.message", "@_fedgate_bpol.anna=40x:bund.example")) == "nothing");
  CHECK(what(event(text, "m.room.message", "@_fedgate_bpol.anna=40x:other.example")) == "text:x");
  json::object state = event(text);
  state["state_key"] = "";
  CHECK(what(state) == "nothing");
}

TEST_CASE("matrix from wire: broken events are malformed, never believed by half") {
  for (const char* broken : {"{}", R"({"type":"m.room.message"})", R"({"type":7,"room_id":"!r","sender":"@a:b","event_id":"$e"})",
                             R"({"type":"m.room.message","room_id":"!r","sender":"alice","event_id":"$e","content":{}})",
                             R"({"type":"m.room.message","room_id":"!r","sender":"@a:b","event_id":null,"content":{}})"})
    CHECK_FALSE(head_of(json::parse(broken).as_object()).has_value());
  CHECK_FALSE(head_of(event("{}", "m.room.message", "@" + std::string(300, 'x') + ":b")).has_value());
  CHECK(what(json::parse(R"({"type":"m.room.message","room_id":"!r","sender":"@a:b","event_id":"$e","content":[1]})").as_object()) == "nothing");
}

TEST_CASE("matrix ids: user ids and ghosts") {
  CHECK(is_user_id("@a:b"));
  CHECK(is_user_id("@Old Style!:b") == false);
  CHECK(is_user_id("@UPPER:b:8448"));
  for (const char* bad : {"", "a:b", "@:b", "@a:", "@a", "@a\n:b"}) CHECK_FALSE(is_user_id(bad));
  CHECK(domain_of("@a:b:8448") == "b:8448");
  std::string ghost = ghost_id(config(), "bpol", "anna@polizei.example");
  CHECK(ghost == "@_fedgate_bpol.anna=40polizei.example:bund.example");
  CHECK(parse_ghost_id(config(), ghost)->native_id == "anna@polizei.example");
  CHECK_FALSE(parse_ghost_id(config(), "@_fedgate_bpol.anna=40polizei.example:other.example").has_value());
  std::string longest = ghost_id(config(), "bpol", std::string(400, 'x') + "@y");
  CHECK(longest.size() <= kUserIdBytesMax);
  CHECK_FALSE(parse_ghost_id(config(), longest)->hashed.empty());
  CHECK(is_ours(config(), config().bot_id()));
  CHECK_FALSE(is_ours(config(), "@alice:bund.example"));
}

TEST_CASE("matrix to wire: a text carries its delivery and every gateway it came through") {
  v1::Deliver delivery;
  delivery.set_delivery_id("id");
  delivery.mutable_envelope()->mutable_provenance()->add_hops("gw-z");
  delivery.mutable_envelope()->mutable_body()->mutable_text()->set_plain("hallo");
  auto content = message_content(delivery, "gw-a");
  REQUIRE(content.has_value());
  CHECK(text_at(*content, "msgtype") == "m.text");
  CHECK(json::serialize(content->at("org.fedgate.delivery")) == R"({"id":"id","gateway":"gw-a","hops":["gw-z","gw-a"]})");
  CHECK(content->contains("m.mentions"));
  delivery.mutable_envelope()->mutable_body()->mutable_text()->set_emote(true);
  CHECK(text_at(*message_content(delivery, "gw-a"), "msgtype") == "m.emote");
  delivery.mutable_envelope()->mutable_body()->mutable_poll();
  CHECK_FALSE(message_content(delivery, "gw-a").has_value());
}

TEST_CASE("matrix to wire: every outcome has its words and its status") {
  v1::Deliver delivery;
  auto& notice = *delivery.mutable_envelope()->mutable_body()->mutable_notice();
  notice.set_about_native_id("$e");
  notice.set_text("Words.");
  notice.set_reason_code("CODE");
  notice.set_decision_id("decision");
  struct Case { v1::Notice::State state; const char* status; const char* words; };
  for (const auto& [state, status, words] : {Case{v1::Notice::REFUSED, "FAIL_PERMANENT", "was not delivered"}, Case{v1::Notice::FAILED, "FAIL_PERMANENT", "was not delivered"},
                                             Case{v1::Notice::UNCERTAIN, "FAIL_PERMANENT", "may not have been delivered"}, Case{v1::Notice::DELAYED, "PENDING", "is delayed"},
                                             Case{v1::Notice::EXPIRED, "FAIL_PERMANENT", "was not delivered"}}) {
    notice.set_state(state);
    NoticeContents contents = notice_contents(delivery, "gw-a");
    REQUIRE(contents.notice.has_value());
    CHECK(text_at(*contents.notice, "body").find(words) != std::string::npos);
    CHECK(text_at(*contents.notice, "body").find("decision") != std::string::npos);
    CHECK(text_at(*contents.status, "status") == status);
  }
  notice.set_state(v1::Notice::DELIVERED);
  CHECK_FALSE(notice_contents(delivery, "gw-a").notice.has_value());
  CHECK(text_at(*notice_contents(delivery, "gw-a").status, "status") == "SUCCESS");
  notice.set_state(v1::Notice::INFORMATION);
  CHECK_FALSE(notice_contents(delivery, "gw-a").status.has_value());
}

}  // namespace
}  // namespace fedgate::matrix
