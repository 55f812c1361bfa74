#include "adapters/matrix/to_wire.h"

namespace fedgate::matrix {

namespace json = boost::json;

namespace {

json::object marker(const v1::Deliver& delivery, const std::string& our_gateway) {
  json::object out{{"id", delivery.delivery_id()}, {"gateway", our_gateway}};
  json::array hops;
  for (const auto& hop : delivery.envelope().provenance().hops()) hops.emplace_back(hop);
  hops.emplace_back(our_gateway);
  out["hops"] = std::move(hops);
  return out;
}

struct StatusWords {
  const char* status;
  const char* reason;
};

StatusWords status_words(const v1::Notice& notice) {
  switch (notice.state()) {
    case v1::Notice::DELIVERED: return {"SUCCESS", nullptr};
    case v1::Notice::DELAYED: return {"PENDING", "m.bridge_unavailable"};
    case v1::Notice::REFUSED:
      if (notice.reason_code() == "UNSUPPORTED_KIND") return {"FAIL_PERMANENT", "com.beeper.unsupported_event"};
      if (notice.reason_code() == "ENCRYPTED") return {"FAIL_PERMANENT", "com.beeper.undecryptable_event"};
      return {"FAIL_PERMANENT", "m.no_permission"};
    case v1::Notice::EXPIRED: return {"FAIL_PERMANENT", "m.event_too_old"};
    case v1::Notice::UNCERTAIN:
    case v1::Notice::FAILED: return {"FAIL_PERMANENT", "m.foreign_network_error"};
    default: return {nullptr, nullptr};
  }
}

std::string notice_text(const v1::Notice& notice) {
  std::string out = notice.text();
  if (notice.state() == v1::Notice::INFORMATION) return out;
  if (notice.state() == v1::Notice::REFUSED || notice.state() == v1::Notice::FAILED || notice.state() == v1::Notice::EXPIRED) out = "Your message was not delivered. " + out;
  if (notice.state() == v1::Notice::UNCERTAIN) out = "Your message may not have been delivered. " + out;
  if (notice.state() == v1::Notice::DELAYED) out = "Your message is delayed. " + out;
  std::string details = notice.reason_code();
  if (!notice.decision_id().empty()) details += (details.empty() ? "" : ", ") + notice.decision_id();
  return details.empty() ? out : out + " (" + details + ")";
}

}  // namespace

json::object plain_notice(const std::string& text) { return {{"msgtype", "m.notice"}, {"body", text}, {"m.mentions", json::object()}}; }

std::optional<json::object> message_content(const v1::Deliver& delivery, const std::string& our_gateway) {
  if (!delivery.envelope().body().has_text()) return std::nullopt;
  const v1::Text& text = delivery.envelope().body().text();
  json::object content{{"msgtype", text.emote() ? "m.emote" : "m.text"}, {"body", text.plain()}, {"m.mentions", json::object()}};
  content["org.fedgate.delivery"] = marker(delivery, our_gateway);
  return content;
}

NoticeContents notice_contents(const v1::Deliver& delivery, const std::string& our_gateway) {
  NoticeContents out;
  const v1::Notice& notice = delivery.envelope().body().notice();
  if (notice.state() != v1::Notice::DELIVERED) {
    json::object content = plain_notice(notice_text(notice));
    if (!notice.about_native_id().empty()) content["m.relates_to"] = json::object{{"m.in_reply_to", json::object{{"event_id", notice.about_native_id()}}}};
    content["org.fedgate.delivery"] = marker(delivery, our_gateway);
    out.notice = std::move(content);
  }
  StatusWords words = status_words(notice);
  if (words.status == nullptr || notice.about_native_id().empty()) return out;
  json::object status{{"network", notice.target_network()},
                      {"status", words.status},
                      {"m.relates_to", json::object{{"rel_type", "m.reference"}, {"event_id", notice.about_native_id()}}}};
  if (words.reason != nullptr) {
    status["reason"] = words.reason;
    status["error"] = notice.reason_code();
    status["message"] = notice.text();
  }
  out.status = std::move(status);
  return out;
}

}  // namespace fedgate::matrix
