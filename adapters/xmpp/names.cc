#include "adapters/xmpp/names.h"

#include "gateway/base/ghost_name.h"

namespace fedgate::xmpp {

std::string ghost_jid(const Config& config, std::string_view network, std::string_view native_id) {
  return make_ghost_name(network, native_id, 1023) + "@" + config.component;
}

std::optional<Remote> remote_of(const std::string& local, const std::function<std::optional<std::string>(const std::string&)>& recall) {
  if (auto name = parse_ghost_name(local)) {
    if (name->hashed.empty()) return Remote{name->network, name->native_id};
    auto kept = recall(name->hashed);
    if (!kept) return std::nullopt;
    return Remote{name->network, *kept};
  }
  if (local.find('\\') == std::string::npos) return std::nullopt;
  std::string typed = unescape_local(local);
  std::size_t dot = typed.find('.');
  if (dot == std::string::npos || !is_network_name(typed.substr(0, dot)) || dot + 1 >= typed.size()) return std::nullopt;
  return Remote{typed.substr(0, dot), typed.substr(dot + 1)};
}

}  // namespace fedgate::xmpp
