// Settings: the loaded configuration, immutable, shared as shared_ptr<const Settings>. Loading and checking is load.h; the meaning of each key is in
// config/schema/fedgate.schema.json. A restart applies a change; nothing here changes while fedgate runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/model/envelope.h"
#include "gateway/model/label.h"

namespace fedgate::settings {

struct Secret {
  std::filesystem::path file;  // mode 0600, absolute
};

struct MatrixNetwork {
  std::string domain;
  std::string homeserver;  // base URL, http or https, no trailing slash
  std::string listen;      // "host:port"
  Secret as_token;
  Secret hs_token;
  std::string bot;         // local part
};

struct XmppNetwork {
  std::string component;
  std::string server;         // "host:port"
  std::string server_domain;
  Secret secret;
  std::string nick;
};

struct Network {
  std::string name;
  std::string adapter;  // "matrix", "xmpp"
  std::string realm;    // of the network's own domain
  std::vector<std::pair<std::string, std::string>> domains;  // exact domain or "*.suffix" -> realm
  model::Protection protection = model::Protection::kNone;
  std::optional<model::Rank> default_level;  // nullopt: the policy's `unlabelled` of the realm
  std::optional<MatrixNetwork> matrix;
  std::optional<XmppNetwork> xmpp;
};

struct LinkEnd {
  std::string network;
  std::string room;
  std::optional<model::Rank> default_level;
};

struct Link {
  std::string id;
  std::vector<LinkEnd> rooms;
};

struct Limits {
  std::uint32_t text_bytes_max = 262144;
  std::uint64_t queue_per_network_max = 1000000;
  std::uint32_t delivery_ttl_s = 86400;
  std::uint32_t delayed_notice_s = 60;
  std::uint32_t retry_s_max = 60;
  std::uint32_t retention_days = 30;
  std::uint32_t submit_credit = 2048;
};

struct Settings {
  std::string gateway;
  std::filesystem::path data_dir;
  std::string link;     // "unix:PATH" (absolute) or "host:port"
  std::string admin;    // "unix:PATH"
  std::string metrics;  // "host:port"
  std::map<std::string, Network> networks;
  std::vector<Link> links;
  std::filesystem::path policy;
  Limits limits;
  std::string log_level = "info";
  std::filesystem::path file;  // where it came from, absolute

  const Network* network(std::string_view name) const {
    auto it = networks.find(std::string(name));
    return it == networks.end() ? nullptr : &it->second;
  }
};

// Realm of an address: the longest matching entry of `domains`, else the network's realm if `domain` is the network's own, else "unknown".
std::string realm_of(const Network& network, std::string_view native_id);

// Domain part of a native id: after the first ':' for Matrix user ids, after '@' for JIDs (or the whole id when it has none).
std::string_view domain_of(const Network& network, std::string_view native_id);

}  // namespace fedgate::settings
