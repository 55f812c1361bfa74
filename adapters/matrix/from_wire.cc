#include "adapters/matrix/from_wire.h"

#include "adapters/matrix/ids.h"

namespace fedgate::matrix {

namespace json = boost::json;

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

const json::object* object_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr ? value->if_object() : nullptr;
}

std::optional<EventHead> head_of(const json::object& event) {
  EventHead head;
  head.type = text_at(event, "type");
  head.room = text_at(event, "room_id");
  head.sender = text_at(event, "sender");
  head.id = text_at(event, "event_id");
  if (const json::value* key = event.if_contains("state_key"); key != nullptr && key->is_string()) head.state_key = std::string(key->as_string());
  if (const json::value* at = event.if_contains("origin_server_ts"); at != nullptr && at->is_int64()) head.at_ms = at->as_int64();
  static const json::object kNothing;
  const json::object* content = object_at(event, "content");
  head.content = content != nullptr ? content : &kNothing;
  if (head.type.empty() || head.room.empty() || head.id.empty() || head.room.size() > 255 || head.id.size() > 255 || !is_user_id(head.sender)) return std::nullopt;
  return head;
}

namespace {

// Old clients put a quote in front of a reply: lines with "> " up to an empty one (removed from the specification in 1.13).
std::string without_reply_fallback(std::string body) {
  if (!body.starts_with("> ")) return body;
  std::size_t at = 0;
  while (at < body.size() && body.compare(at, 1, ">") == 0) {
    std::size_t end = body.find('\n', at);
    if (end == std::string::npos) return {};
    at = end + 1;
  }
  if (at < body.size() && body[at] == '\n') ++at;
  return body.substr(at);
}

std::string without_mx_reply(std::string html) {
  std::size_t begin = html.find("<mx-reply>");
  std::size_t end = html.find("</mx-reply>");
  if (begin == std::string::npos || end == std::string::npos || end < begin) return html;
  return html.erase(begin, end + 11 - begin);
}

void unsupported(v1::Envelope& out, std::string what, bool opaque) {
  out.mutable_body()->mutable_unsupported()->set_what(what.substr(0, 64));
  out.mutable_body()->mutable_unsupported()->set_opaque(opaque);
}

void text_of(const json::object& content, bool is_reply, v1::Text& out) {
  std::string body = text_at(content, "body");
  out.set_plain(is_reply ? without_reply_fallback(std::move(body)) : std::move(body));
  if (text_at(content, "format") == "org.matrix.custom.html") out.set_html(without_mx_reply(text_at(content, "formatted_body")));
  out.set_emote(text_at(content, "msgtype") == "m.emote");
}

bool is_text(std::string_view msgtype) { return msgtype == "m.text" || msgtype == "m.emote" || msgtype == "m.notice"; }

bool message(const json::object& content, v1::Envelope& out) {
  const json::object* relates = object_at(content, "m.relates_to");
  std::string relation = relates != nullptr ? text_at(*relates, "rel_type") : "";
  if (relation == "m.replace") {
    auto& edit = *out.mutable_body()->mutable_edit();
    edit.mutable_target()->set_native_id(text_at(*relates, "event_id"));
    if (const json::object* fresh = object_at(content, "m.new_content")) text_of(*fresh, false, *edit.mutable_text());
    return true;
  }
  std::string reply_to;
  if (relates != nullptr)
    if (const json::object* reply = object_at(*relates, "m.in_reply_to")) reply_to = text_at(*reply, "event_id");
  if (!reply_to.empty()) out.mutable_reply_to()->set_native_id(reply_to);
  if (relation == "m.thread") out.mutable_thread()->set_native_id(text_at(*relates, "event_id"));
  std::string msgtype = text_at(content, "msgtype");
  if (is_text(msgtype)) {
    text_of(content, !reply_to.empty(), *out.mutable_body()->mutable_text());
    return !out.body().text().plain().empty();
  }
  if (msgtype.empty() && text_at(content, "body").empty()) return false;  // redacted
  unsupported(out, msgtype.empty() ? "m.room.message" : msgtype, false);
  return true;
}

bool body_of(const EventHead& head, const json::object& event, v1::Envelope& out) {
  const json::object& content = *head.content;
  if (head.type == "m.room.message") return message(content, out);
  if (head.type == "m.room.encrypted") {
    if (content.empty()) return false;  // redacted
    unsupported(out, "megolm", true);
    return true;
  }
  if (head.type == "m.reaction") {
    const json::object* relates = object_at(content, "m.relates_to");
    if (relates == nullptr) return false;
    auto& reaction = *out.mutable_body()->mutable_reaction();
    reaction.mutable_target()->set_native_id(text_at(*relates, "event_id"));
    reaction.add_emoji(text_at(*relates, "key").substr(0, 64));
    return true;
  }
  if (head.type == "m.room.redaction") {
    std::string target = text_at(content, "redacts");
    if (target.empty()) target = text_at(event, "redacts");
    out.mutable_body()->mutable_retraction()->mutable_target()->set_native_id(target);
    return !target.empty();
  }
  if (head.type == "m.sticker" || head.type.find("poll.start") != std::string::npos || head.type == "m.location") {
    unsupported(out, head.type, false);
    return true;
  }
  return false;
}

}  // namespace

std::optional<v1::Envelope> from_event(const Config& config, const std::string& our_gateway, const EventHead& head, const json::object& event) {
  if (head.state_key || is_ours(config, head.sender)) return std::nullopt;
  v1::Envelope out;
  if (const json::object* delivery = object_at(*head.content, "org.fedgate.delivery")) {
    if (text_at(*delivery, "gateway") == our_gateway) return std::nullopt;
    if (const json::value* hops = delivery->if_contains("hops"); hops != nullptr && hops->is_array())
      for (const auto& hop : hops->as_array())
        if (hop.is_string() && out.provenance().hops_size() < 16) out.mutable_provenance()->add_hops(std::string(hop.as_string()).substr(0, 64));
  }
  if (!body_of(head, event, out)) return std::nullopt;
  out.set_network(config.network);
  out.set_native_id(head.id);
  out.set_dedup_key(head.id);
  out.mutable_sender()->mutable_address()->set_network(config.network);
  out.mutable_sender()->mutable_address()->set_native_id(head.sender);
  out.mutable_sender()->set_assurance(v1::ASSURANCE_ACCOUNT);
  out.set_sent_at_ms(head.at_ms);
  return out;
}

std::string command_line(const EventHead& head) {
  if (head.type != "m.room.message" || head.state_key || text_at(*head.content, "msgtype") != "m.text") return {};
  std::string body = text_at(*head.content, "body");
  return body.starts_with("!") && body.size() <= 1024 ? body : std::string();
}

}  // namespace fedgate::matrix
