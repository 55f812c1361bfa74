#include "gateway/codec/envelope_codec.h"

#include <utility>

#include "gateway/base/utf8.h"
#include "gateway/codec/label_codec.h"
#include "fedgate/v1/envelope.pb.h"

namespace fedgate::codec {
namespace {

std::unexpected<Error> invalid(std::string what) { return make_error(ErrorKind::kInvalid, std::move(what)); }

void address_to(const model::Address& address, v1::Address& out) {
  out.set_network(address.network);
  out.set_native_id(address.native_id);
}

model::Address address_from(const v1::Address& address) { return {address.network(), address.native_id()}; }

void reference_to(const model::Reference& reference, v1::Reference& out) {
  out.set_native_id(reference.native_id);
  out.set_message_id(reference.message_id);
}

model::Kind uncarried_kind(v1::Body::KindCase kind) {
  switch (kind) {
    case v1::Body::kAttachment: return model::Kind::kFile;
    case v1::Body::kEdit: return model::Kind::kEdit;
    case v1::Body::kRetraction: return model::Kind::kRetract;
    case v1::Body::kReaction: return model::Kind::kReaction;
    case v1::Body::kReceipt: return model::Kind::kReceipt;
    case v1::Body::kTyping: return model::Kind::kTyping;
    case v1::Body::kMembership: return model::Kind::kMembership;
    case v1::Body::kRoomChange: return model::Kind::kRoomChange;
    case v1::Body::kPoll: return model::Kind::kPoll;
    case v1::Body::kLocation: return model::Kind::kLocation;
    default: return model::Kind::kUnsupported;
  }
}

// A kind that is not carried yet is stored as Unsupported with the kind's name, which is all the core keeps of it.
void uncarried_to(const model::Uncarried& uncarried, v1::Body& out) {
  auto* unsupported = out.mutable_unsupported();
  unsupported->set_what(uncarried.kind == model::Kind::kUnsupported ? uncarried.what : "kind:" + std::string(model::to_text(uncarried.kind)));
  unsupported->set_opaque(uncarried.opaque);
}

model::Uncarried uncarried_from(const v1::Unsupported& unsupported) {
  model::Uncarried out{model::Kind::kUnsupported, unsupported.what(), unsupported.opaque()};
  if (out.what.starts_with("kind:"))
    for (int i = 0; i < model::kKinds; ++i)
      if (out.what.substr(5) == model::to_text(static_cast<model::Kind>(i))) {
        out.kind = static_cast<model::Kind>(i);
        out.what = out.what.substr(5);
        break;
      }
  return out;
}

Result<model::Text> text_from(const v1::Text& text) {
  model::Text out{text.plain(), text.html(), text.emote(), {}};
  if (!is_valid_utf8(out.plain) || !is_valid_utf8(out.html)) return invalid("body.text is not valid UTF-8");
  for (const auto& mention : text.mentions())
    out.mentions.push_back({address_from(mention.address()), mention.start(), mention.end()});
  return out;
}

Result<void> check_lengths(const v1::Envelope& envelope) {
  auto text_field = [](const char* field, const std::string& value, std::size_t bytes_max) -> Result<void> {
    if (value.size() > bytes_max) return invalid(std::string(field) + " is longer than " + std::to_string(bytes_max) + " bytes");
    if (!is_valid_utf8(value) || value.find('\0') != std::string::npos) return invalid(std::string(field) + " is not valid UTF-8 without U+0000");
    return {};
  };
  if (auto ok = text_field("native_id", envelope.native_id(), kNativeIdBytesMax); !ok) return ok;
  if (auto ok = text_field("dedup_key", envelope.dedup_key(), kDedupKeyBytesMax); !ok) return ok;
  if (auto ok = text_field("sender.address.native_id", envelope.sender().address().native_id(), kNativeIdBytesMax); !ok) return ok;
  if (auto ok = text_field("sender.display_name", envelope.sender().display_name(), 4 * kDisplayNameBytesMax); !ok) return ok;
  if (auto ok = text_field("conversation.room", envelope.conversation().room(), kNativeIdBytesMax); !ok) return ok;
  if (auto ok = text_field("conversation.direct.native_id", envelope.conversation().direct().native_id(), kNativeIdBytesMax); !ok) return ok;
  if (auto ok = text_field("conversation.direct.network", envelope.conversation().direct().network(), 31); !ok) return ok;
  if (static_cast<std::size_t>(envelope.provenance().hops_size()) > kHopsMax) return invalid("provenance.hops has more than 16 entries");
  return {};
}

}  // namespace

void to_proto(const model::Body& body, v1::Body& out) {
  if (const auto* text = std::get_if<model::Text>(&body)) {
    auto* to = out.mutable_text();
    to->set_plain(text->plain);
    to->set_html(text->html);
    to->set_emote(text->emote);
    for (const auto& mention : text->mentions) {
      auto* added = to->add_mentions();
      address_to(mention.address, *added->mutable_address());
      added->set_start(mention.start);
      added->set_end(mention.end);
    }
  } else if (const auto* notice = std::get_if<model::Notice>(&body)) {
    auto* to = out.mutable_notice();
    to->set_state(static_cast<v1::Notice::State>(notice->state));
    to->set_about_native_id(notice->about_native_id);
    to->set_reason_code(notice->reason_code);
    to->set_decision_id(notice->decision_id);
    to->set_text(notice->text);
    to->set_target_network(notice->target_network);
  } else {
    uncarried_to(std::get<model::Uncarried>(body), out);
  }
}

Result<model::Body> from_proto(const v1::Body& body) {
  switch (body.kind_case()) {
    case v1::Body::kText: {
      auto text = text_from(body.text());
      if (!text) return std::unexpected(text.error());
      return model::Body(std::move(*text));
    }
    case v1::Body::kNotice: {
      const auto& notice = body.notice();
      if (notice.state() < 0 || notice.state() > v1::Notice::INFORMATION) return invalid("body.notice.state is unknown");
      return model::Body(model::Notice{static_cast<model::Notice::State>(notice.state()), notice.about_native_id(), notice.reason_code(),
                                       notice.decision_id(), notice.text(), notice.target_network()});
    }
    case v1::Body::kUnsupported: return model::Body(uncarried_from(body.unsupported()));
    case v1::Body::KIND_NOT_SET: return invalid("body has no kind");
    default: {
      model::Kind kind = uncarried_kind(body.kind_case());
      return model::Body(model::Uncarried{kind, std::string(model::to_text(kind)), false});
    }
  }
}

void to_proto(const model::Conversation& conversation, v1::Conversation& out) {
  if (conversation.is_room()) out.set_room(conversation.room);
  else address_to(conversation.peer, *out.mutable_direct());
}

Result<model::Conversation> from_proto(const v1::Conversation& conversation) {
  if (conversation.kind_case() == v1::Conversation::kRoom && !conversation.room().empty())
    return model::Conversation::in_room(conversation.room());
  if (conversation.kind_case() == v1::Conversation::kDirect && !conversation.direct().network().empty() && !conversation.direct().native_id().empty())
    return model::Conversation::direct(address_from(conversation.direct()));
  return invalid("conversation names neither a room nor a peer");
}

void to_proto_without_body(const model::Envelope& envelope, v1::Envelope& out) {
  if (!envelope.id.empty()) out.set_id(envelope.id.text());
  out.set_network(envelope.network);
  out.set_native_id(envelope.native_id);
  out.set_dedup_key(envelope.dedup_key);
  out.set_revision(envelope.revision);
  address_to(envelope.sender.address, *out.mutable_sender()->mutable_address());
  out.mutable_sender()->set_display_name(envelope.sender.display_name);
  out.mutable_sender()->set_assurance(static_cast<v1::Assurance>(envelope.sender.assurance));
  to_proto(envelope.conversation, *out.mutable_conversation());
  out.set_sent_at_ms(envelope.sent_at_ms);
  out.set_accepted_at_ms(envelope.accepted_at_ms);
  label_to_proto(envelope.label, *out.mutable_label());
  for (const auto& hop : envelope.hops) out.mutable_provenance()->add_hops(hop);
  out.set_protection(static_cast<v1::Protection>(envelope.protection));
  if (envelope.reply_to != model::Reference{}) reference_to(envelope.reply_to, *out.mutable_reply_to());
  if (envelope.thread != model::Reference{}) reference_to(envelope.thread, *out.mutable_thread());
}

void to_proto(const model::Envelope& envelope, v1::Envelope& out) {
  to_proto_without_body(envelope, out);
  to_proto(envelope.body, *out.mutable_body());
}

Result<model::Envelope> from_proto(const v1::Envelope& envelope) {
  if (auto ok = check_lengths(envelope); !ok) return std::unexpected(ok.error());
  if (!v1::Assurance_IsValid(envelope.sender().assurance())) return invalid("sender.assurance is unknown");
  if (!v1::Protection_IsValid(envelope.protection())) return invalid("protection is unknown");
  auto conversation = from_proto(envelope.conversation());
  if (!conversation) return std::unexpected(conversation.error());
  auto label = label_from_proto(envelope.label());
  if (!label) return std::unexpected(label.error());
  model::Envelope out;
  if (!envelope.id().empty()) {
    auto id = model::MessageId::from_text(envelope.id());
    if (!id) return invalid("id is not 26 characters of base32");
    out.id = *id;
  }
  out.network = envelope.network();
  out.native_id = envelope.native_id();
  out.dedup_key = envelope.dedup_key();
  out.revision = envelope.revision();
  out.sender = {address_from(envelope.sender().address()), envelope.sender().display_name(), static_cast<model::Assurance>(envelope.sender().assurance())};
  out.conversation = std::move(*conversation);
  out.sent_at_ms = envelope.sent_at_ms();
  out.accepted_at_ms = envelope.accepted_at_ms();
  out.label = std::move(*label);
  out.hops.assign(envelope.provenance().hops().begin(), envelope.provenance().hops().end());
  out.protection = static_cast<model::Protection>(envelope.protection());
  out.reply_to = {envelope.reply_to().native_id(), envelope.reply_to().message_id()};
  out.thread = {envelope.thread().native_id(), envelope.thread().message_id()};
  if (!envelope.has_body()) return invalid("body is missing");
  auto body = from_proto(envelope.body());
  if (!body) return std::unexpected(body.error());
  out.body = std::move(*body);
  return out;
}

}  // namespace fedgate::codec
