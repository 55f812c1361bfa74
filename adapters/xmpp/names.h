// Which JIDs of our component stand for whom. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "adapters/xmpp/config.h"
#include "adapters/xmpp/jid.h"

namespace fedgate::xmpp {

struct Remote {
  std::string network;
  std::string native_id;
};

// Bare JID of the ghost of a remote address.
std::string ghost_jid(const Config& config, std::string_view network, std::string_view native_id);

// Whom a local part of our component stands for; also typed forms with XEP-0106 escapes ("bund.\40alice\3abund.example"). A hashed name is looked up with `recall`.
std::optional<Remote> remote_of(const std::string& local, const std::function<std::optional<std::string>(const std::string& hashed)>& recall);

}  // namespace fedgate::xmpp
