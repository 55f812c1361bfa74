#include "adapters/xmpp/config.h"

#include <nlohmann/json.hpp>

namespace fedgate::xmpp {

Result<Config> read_config(const sdk::AdapterConfig& file, const std::string& network) {
  const nlohmann::json& json = *file.networks.at(network);
  Config out;
  out.network = network;
  for (auto [key, field] : {std::pair{"component", &out.component}, {"server", &out.server}, {"server_domain", &out.server_domain}, {"nick", &out.nick}}) {
    auto found = json.find(key);
    if (found == json.end() || !found->is_string() || found->get_ref<const std::string&>().empty())
      return make_error(ErrorKind::kInvalid, file.file.string() + ": /networks/" + network + "/xmpp: \"" + key + "\" is missing");
    *field = found->get<std::string>();
  }
  auto secret = sdk::read_secret(file, json, "secret");
  if (!secret) return std::unexpected(secret.error());
  out.secret = *secret;
  return out;
}

}  // namespace fedgate::xmpp
