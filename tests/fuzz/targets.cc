#include "tests/fuzz/targets.h"

#include <boost/json/parse.hpp>
#include <cstdlib>

#include "adapters/matrix/from_wire.h"
#include "adapters/matrix/ids.h"
#include "adapters/xmpp/from_wire.h"
#include "adapters/xmpp/jid.h"
#include "adapters/xmpp/stream_parser.h"
#include "gateway/base/ghost_name.h"
#include "gateway/base/json_document.h"
#include "gateway/base/utf8.h"
#include "gateway/codec/record_codec.h"
#include "gateway/normalise/text.h"
#include "gateway/policy/load.h"
#include "gateway/render/split.h"

namespace fedgate::fuzz {

namespace {
void must(bool promise) {
  if (!promise) std::abort();
}
}  // namespace

void fuzz_xml_stream(std::string_view bytes) {
  std::vector<xmpp::Element> stanzas;
  xmpp::StreamParser parser({{}, [&](xmpp::Element& stanza) { stanzas.push_back(std::move(stanza)); }, [](const xmpp::Element&) {}, {}});
  if (!parser.feed("<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'>")) std::abort();
  std::size_t half = bytes.size() / 2;
  if (parser.feed(bytes.substr(0, half))) (void)parser.feed(bytes.substr(half));
  for (const auto& stanza : stanzas) {
    (void)xmpp::body_of(stanza);
    (void)xmpp::direct_dedup_key("a@b", stanza, "f");
    std::vector<xmpp::Element> again;
    xmpp::StreamParser reader({{}, [&](xmpp::Element& one) { again.push_back(std::move(one)); }, [&](const xmpp::Element& head) { again.push_back(head); }, {}});
    must(reader.feed("<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'>").has_value());
    must(reader.feed(xmpp::to_xml(stanza)).has_value());
    must(again.size() == 1 && again[0].name == stanza.name);
  }
}

void fuzz_jid(std::string_view bytes) {
  auto jid = xmpp::Jid::parse(bytes);
  if (!jid) return;
  auto again = xmpp::Jid::parse(jid->full());
  must(again && again->full() == jid->full());
  must(is_valid_utf8(jid->full()) && jid->local.find('@') == std::string::npos && jid->domain.find('/') == std::string::npos);
  (void)xmpp::unescape_local(jid->local);
}

void fuzz_mxid(std::string_view bytes) {
  matrix::Config config{"bund", "bund.example", "", "", "", "", "fedgate"};
  std::string id(bytes);
  if (auto ghost = matrix::parse_ghost_id(config, id); ghost && ghost->hashed.empty()) must(matrix::ghost_id(config, ghost->network, ghost->native_id) == id);
  if (!matrix::is_user_id(id)) return;
  (void)matrix::is_ours(config, id);
  std::string name = matrix::ghost_id(config, "bpol", id);
  must(name.size() <= matrix::kUserIdBytesMax && matrix::parse_ghost_id(config, name).has_value());
}

void fuzz_ghost_name(std::string_view bytes) {
  if (auto name = parse_ghost_name(bytes); name && name->hashed.empty()) must(make_ghost_name(name->network, name->native_id, 100000) == bytes);
  if (bytes.empty() || !is_valid_utf8(bytes)) return;
  auto back = parse_ghost_name(make_ghost_name("n", bytes, 100000));
  must(back && back->native_id == bytes);
}

void fuzz_matrix_event(std::string_view bytes) {
  boost::json::error_code error;
  boost::json::parse_options options;
  options.max_depth = 64;
  boost::json::value value = boost::json::parse(boost::json::string_view(bytes.data(), bytes.size()), error, {}, options);
  if (error || !value.is_object()) return;
  auto head = matrix::head_of(value.as_object());
  if (!head) return;
  matrix::Config config{"bund", "bund.example", "", "", "", "", "fedgate"};
  (void)matrix::command_line(*head);
  auto envelope = matrix::from_event(config, "gw", *head, value.as_object());
  if (envelope) must(envelope->has_body() && envelope->provenance().hops_size() <= 16 && !envelope->dedup_key().empty());
}

void fuzz_json_document(std::string_view bytes) {
  for (auto comments : {JsonComments::kForbidden, JsonComments::kAllowed}) {
    std::vector<Finding> findings;
    JsonDocument document = parse_json_document(bytes, "f", comments, findings);
    must((document.root != nullptr) == findings.empty());
  }
}

void fuzz_policy(std::string_view bytes) {
  std::vector<Finding> findings;
  auto policy = policy::parse_policy(bytes, "p", findings);
  must((policy != nullptr) == findings.empty());
  if (!policy) return;
  policy::Request request;
  for (int rank = 0; rank < model::kRanks; ++rank) {
    request.rank = static_cast<model::Rank>(rank);
    request.src_realm = request.dst_realm = 1;
    auto outcome = policy->decide(request);
    must(rank < 3 || outcome.verdict == model::Verdict::kDeny);
    must(outcome.verdict == model::Verdict::kAllow || !outcome.reason_code.empty());
  }
}

void fuzz_text(std::string_view bytes) {
  std::string text = normalise::normalise_text(bytes);
  must(is_valid_utf8(text) && normalise::normalise_text(text) == text);
  must(normalise::normalise_display_name(bytes).size() <= normalise::kDisplayNameBytesMax);
  for (std::size_t limit : {4u, 17u, 100u}) {
    std::string joined;
    for (const auto& part : render::split_text(text, limit)) {
      must(part.size() <= limit && is_valid_utf8(part));
      joined += part;
    }
    must(joined == text);
  }
}

void fuzz_record(std::string_view bytes) {
  (void)codec::decode_batch(bytes);
  (void)codec::decode_history_chunk(bytes);
}

}  // namespace fedgate::fuzz
