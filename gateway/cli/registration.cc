#include "gateway/cli/registration.h"

#include <cstdio>

#include "gateway/base/utf8.h"

namespace fedgate::cli {

std::string yaml_quoted(std::string_view text) {
  std::string out = "\"";
  for (unsigned char c : replace_invalid_utf8(text)) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 0x20 || c == 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", c);
      out += escaped;
    } else {
      out += static_cast<char>(c);
    }
  }
  return out + "\"";
}

std::string regex_escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (std::string_view("\\.^$|()[]{}*+?").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string matrix_registration(const std::string& network, const settings::MatrixNetwork& matrix, std::string_view as_token, std::string_view hs_token) {
  // Synapse matches from the start only, hence the dollar sign; a user namespace covers local users only, hence the domain.
  std::string domain = regex_escaped(matrix.domain);
  auto name_space = [&](const char* kind, const std::string& sigil) {
    return std::string("  ") + kind + ":\n    - exclusive: true\n      regex: " + yaml_quoted(sigil + "_fedgate_.*:" + domain + "$") + "\n";
  };
  std::string out;
  out += "id: " + yaml_quoted("fedgate-" + network) + "\n";
  out += "url: " + yaml_quoted("http://" + matrix.listen) + "\n";
  out += "as_token: " + yaml_quoted(as_token) + "\n";
  out += "hs_token: " + yaml_quoted(hs_token) + "\n";
  out += "sender_localpart: " + yaml_quoted(matrix.bot) + "\n";
  out += "rate_limited: false\n";
  out += "receive_ephemeral: false\n";
  out += "protocols: []\n";
  out += "namespaces:\n";
  out += name_space("users", "@");
  out += name_space("aliases", "#");
  out += "  rooms: []\n";
  return out;
}

std::string xmpp_snippets(const settings::XmppNetwork& xmpp, std::string_view secret) {
  auto colon = xmpp.server.rfind(':');
  std::string port = colon == std::string::npos ? "5347" : xmpp.server.substr(colon + 1);
  std::string out;
  out += "-- Prosody, in prosody.cfg.lua:\n";
  out += "component_ports = { " + port + " }\n";
  out += "component_interfaces = { \"127.0.0.1\" }\n";
  out += "Component " + yaml_quoted(xmpp.component) + "\n";
  out += "    component_secret = " + yaml_quoted(secret) + "\n";
  out += "    modules_disabled = { \"s2s\" }  -- unless other servers shall reach the ghosts\n";
  out += "\n# ejabberd, in ejabberd.yml under listen:\n";
  out += "  -\n    port: " + port + "\n    ip: \"127.0.0.1\"\n    module: ejabberd_service\n    hosts:\n";
  out += "      " + yaml_quoted(xmpp.component) + ":\n        password: " + yaml_quoted(secret) + "\n";
  return out;
}

}  // namespace fedgate::cli
