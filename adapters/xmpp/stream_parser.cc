#include "adapters/xmpp/stream_parser.h"

#include <expat.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

// Weak, because Debian 12's expat has it only since a security update that a machine may not have: null there, and then there is no deferral to switch off.
extern "C" __attribute__((weak)) XML_Bool XML_SetReparseDeferralEnabled(XML_Parser parser, XML_Bool enabled);

namespace fedgate::xmpp {

namespace {

constexpr char kSeparator = '\x1f';
constexpr std::string_view kXmlNs = "http://www.w3.org/XML/1998/namespace";

void split(const char* qualified, std::string& ns, std::string& name) {
  const char* at = std::strchr(qualified, kSeparator);
  if (at == nullptr) {
    ns.clear();
    name = qualified;
  } else {
    ns.assign(qualified, at);
    name = at + 1;
  }
}

}  // namespace

class StreamParser::Running {
 public:
  Running(Events given, ParserLimits limiting) : events(std::move(given)), limits(limiting), parser(XML_ParserCreateNS("UTF-8", kSeparator)) {
    if (parser == nullptr) throw std::bad_alloc();
    XML_SetUserData(parser, this);
    // Deferral would keep a stanza that came in two pieces until a third one comes, which may be never. Its use against slow input is the limit on a single tag in feed().
    if (XML_SetReparseDeferralEnabled != nullptr) XML_SetReparseDeferralEnabled(parser, XML_FALSE);
    XML_SetElementHandler(parser, [](void* self, const char* name, const char** attributes) { of(self).start(name, attributes); },
                          [](void* self, const char*) { of(self).end(); });
    XML_SetCharacterDataHandler(parser, [](void* self, const char* text, int length) { of(self).characters({text, static_cast<std::size_t>(length)}); });
    XML_SetStartDoctypeDeclHandler(parser, [](void* self, const char*, const char*, const char*, int) { of(self).refuse("a DOCTYPE"); });
    XML_SetCommentHandler(parser, [](void* self, const char*) { of(self).refuse("a comment"); });
    XML_SetProcessingInstructionHandler(parser, [](void* self, const char*, const char*) { of(self).refuse("a processing instruction"); });
  }
  ~Running() { XML_ParserFree(parser); }

  static Running& of(void* self) { return *static_cast<Running*>(self); }

  void refuse(const char* what) {
    refused = what;
    XML_StopParser(parser, XML_FALSE);
  }

  std::size_t position() const { return static_cast<std::size_t>(XML_GetCurrentByteIndex(parser)); }

  void start(const char* qualified, const char** attributes) {
    ++depth;
    if (depth == 1) return open(qualified, attributes);
    if (depth == 2) begin_stanza();
    if (skipping) return;
    std::size_t count = 0;
    Element element;
    split(qualified, element.ns, element.name);
    std::string ns, name;
    for (const char** at = attributes; *at != nullptr; at += 2) {
      if (++count > limits.attributes) break;
      split(*at, ns, name);
      if (ns.empty()) element.attributes.emplace_back(std::move(name), at[1]);
      else if (ns == kXmlNs && name == "lang") element.attributes.emplace_back("xml:lang", at[1]);
    }
    if (depth == 2) head = Element{element.name, element.ns, element.attributes, {}, {}};
    bool over = count > limits.attributes || depth - 1 > limits.depth || ++elements > limits.elements || position() - stanza_begin > limits.stanza_bytes;
    if (over) return skip();
    stack.push_back(std::move(element));
  }

  void end() {
    if (depth == 1) {
      --depth;
      if (events.on_close) events.on_close();
      return;
    }
    --depth;
    if (depth == 1) return end_stanza();
    if (skipping) return;
    Element done = std::move(stack.back());
    stack.pop_back();
    stack.back().children.push_back(std::move(done));
  }

  void characters(std::string_view text) {
    if (depth < 2 || skipping) return;
    Element& element = stack.back();
    if (element.text.size() + text.size() > limits.text_bytes || position() - stanza_begin > limits.stanza_bytes) return skip();
    element.text.append(text);
  }

  void begin_stanza() {
    skipping = false;
    elements = 0;
    stanza_begin = position();
    stack.clear();
  }

  void skip() {
    skipping = true;
    stack.clear();
  }

  void end_stanza() {
    if (skipping) {
      if (events.on_oversize) events.on_oversize(head);
    } else {
      Element stanza = std::move(stack.back());
      stack.pop_back();
      events.on_stanza(stanza);
    }
    skipping = false;
  }

  void open(const char* qualified, const char** attributes) {
    Element element;
    split(qualified, element.ns, element.name);
    std::string ns, name;
    for (const char** at = attributes; *at != nullptr; at += 2) {
      split(*at, ns, name);
      if (ns.empty()) element.attributes.emplace_back(std::move(name), at[1]);
    }
    if (events.on_open) events.on_open(element);
  }

  Events events;
  ParserLimits limits;
  XML_Parser parser;
  std::vector<Element> stack;
  Element head;
  std::size_t depth = 0;
  std::size_t elements = 0;
  std::size_t stanza_begin = 0;
  bool skipping = false;
  const char* refused = nullptr;
};

StreamParser::StreamParser(Events events, ParserLimits limits) : running_(std::make_unique<Running>(std::move(events), limits)) {}
StreamParser::~StreamParser() = default;

Result<void> StreamParser::feed(std::string_view bytes) {
  // A start tag that never ends must not grow expat's buffer without bound.
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, 64u << 10);
    bytes.remove_prefix(piece.size());
    if (XML_Parse(running_->parser, piece.data(), static_cast<int>(piece.size()), XML_FALSE) != XML_STATUS_OK) {
      if (running_->refused != nullptr) return make_error(ErrorKind::kInvalid, std::string("the stream contains ") + running_->refused);
      return make_error(ErrorKind::kInvalid, std::string("the stream is not well-formed: ") + XML_ErrorString(XML_GetErrorCode(running_->parser)));
    }
    auto done = static_cast<std::size_t>(std::max<XML_Index>(0, XML_GetCurrentByteIndex(running_->parser)));
    fed_ += piece.size();
    if (fed_ > done && fed_ - done > running_->limits.stanza_bytes * 2)
      return make_error(ErrorKind::kLimit, "a single tag of the stream is longer than " + std::to_string(running_->limits.stanza_bytes * 2) + " bytes");
  }
  return {};
}

}  // namespace fedgate::xmpp
