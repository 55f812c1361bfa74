// One XMPP network of the configuration, secret read. A value.
#pragma once

#include <string>

#include "adapters/sdk/adapter_main.h"

namespace fedgate::xmpp {

struct Config {
  std::string network;
  std::string component;      // our domain
  std::string server;         // host:port
  std::string server_domain;
  std::string secret;
  std::string nick;           // the gateway's own name

  // The gateway itself: listener in rooms, and who answers in private. A ghost's local part has a dot, this one has none.
  std::string own_bare() const { return "gateway@" + component; }
  std::string own_full() const { return own_bare() + "/gw"; }
};

Result<Config> read_config(const sdk::AdapterConfig& file, const std::string& network);

}  // namespace fedgate::xmpp
