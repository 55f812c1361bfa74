// StreamParser: the bytes of one XML stream to stanzas, under limits (expat, namespace-aware, long-lived).
//
// One per connection, one thread. A stanza over a limit is skipped to its end and reported with what its start tag said; the stream goes on. DOCTYPE, comments and processing instructions, and XML that is not well-formed, end
// the stream: feed() says why.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/xmpp/element.h"
#include "gateway/base/result.h"

namespace fedgate::xmpp {

struct ParserLimits {
  std::size_t stanza_bytes = 600u << 10;
  std::size_t depth = 32;
  std::size_t attributes = 32;
  std::size_t elements = 10000;
  std::size_t text_bytes = 256u << 10;
};

class StreamParser {
 public:
  struct Events {
    std::function<void(const Element&)> on_open;       // the stream's start tag
    std::function<void(Element&)> on_stanza;
    std::function<void(const Element&)> on_oversize;   // the start tag of a stanza that was skipped
    std::function<void()> on_close;
  };

  explicit StreamParser(Events events, ParserLimits limits = {});
  ~StreamParser();

  Result<void> feed(std::string_view bytes);

 private:
  class Running;
  std::unique_ptr<Running> running_;
  std::size_t fed_ = 0;  // bytes since the stream began
};

}  // namespace fedgate::xmpp
