// One Matrix network of the configuration, secrets read. A value.
#pragma once

#include <string>

#include "adapters/sdk/adapter_main.h"

namespace fedgate::matrix {

struct Config {
  std::string network;
  std::string domain;      // server name, the part behind the colon
  std::string homeserver;  // base URL without trailing slash
  std::string listen;      // host:port
  std::string as_token;
  std::string hs_token;
  std::string bot;         // local part

  std::string bot_id() const { return "@" + bot + ":" + domain; }
};

Result<Config> read_config(const sdk::AdapterConfig& file, const std::string& network);

}  // namespace fedgate::matrix
