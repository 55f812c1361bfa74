// GhostServices: what clients and servers ask of ghosts and of the component itself: presence, vCard, service discovery, ping, the address prompt (XEP-0100). Answers are built, not sent.
//
// One per network, one thread. Remembers display names (bounded) for vCards.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "adapters/xmpp/config.h"
#include "adapters/xmpp/element.h"
#include "adapters/xmpp/jid.h"

namespace fedgate::xmpp {

class GhostServices {
 public:
  // exists: whether a local part of our component is somebody.
  GhostServices(const Config& config, std::function<bool(const std::string& local)> exists, std::function<std::string(const std::string& typed)> jid_of_typed)
      : config_(config), exists_(std::move(exists)), jid_of_typed_(std::move(jid_of_typed)) {}

  void name(const std::string& ghost_bare, const std::string& display_name);

  // iq of type get or set: always one answer.
  Element answer_iq(const Element& iq, const Jid& to) const;
  // Presence that is not of a room: what to send back, in order.
  std::vector<Element> answer_presence(const Element& presence, const Jid& from, const Jid& to) const;

 private:
  Element disco_info(const Element& iq, const Jid& to) const;

  static constexpr std::size_t kNamesMax = 100000;
  const Config& config_;
  std::function<bool(const std::string&)> exists_;
  std::function<std::string(const std::string&)> jid_of_typed_;
  std::unordered_map<std::string, std::string> names_;
};

}  // namespace fedgate::xmpp
