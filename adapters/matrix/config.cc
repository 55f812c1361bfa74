#include "adapters/matrix/config.h"

#include <nlohmann/json.hpp>

namespace fedgate::matrix {

Result<Config> read_config(const sdk::AdapterConfig& file, const std::string& network) {
  const nlohmann::json& json = *file.networks.at(network);
  Config out;
  out.network = network;
  for (auto [key, field] : {std::pair{"domain", &out.domain}, {"homeserver", &out.homeserver}, {"listen", &out.listen}, {"bot", &out.bot}}) {
    auto found = json.find(key);
    if (found == json.end() || !found->is_string() || found->get_ref<const std::string&>().empty())
      return make_error(ErrorKind::kInvalid, file.file.string() + ": /networks/" + network + "/matrix: \"" + key + "\" is missing");
    *field = found->get<std::string>();
  }
  while (out.homeserver.ends_with('/')) out.homeserver.pop_back();
  for (auto [key, field] : {std::pair{"as_token", &out.as_token}, {"hs_token", &out.hs_token}}) {
    auto secret = sdk::read_secret(file, json, key);
    if (!secret) return std::unexpected(secret.error());
    *field = *secret;
  }
  return out;
}

}  // namespace fedgate::matrix
