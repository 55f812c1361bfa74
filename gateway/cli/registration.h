// What the administrator of an attached server has to install so that it knows us: the Matrix registration file, or the lines for an XMPP server's configuration.
// Pure: secrets come as arguments.
#pragma once

#include <string>
#include <string_view>

#include "gateway/settings/settings.h"

namespace fedgate::cli {

// YAML (protocols/matrix.md §1). The file holds secrets: mode 0600 for whoever writes it.
std::string matrix_registration(const std::string& network, const settings::MatrixNetwork& matrix, std::string_view as_token, std::string_view hs_token);

// Prosody and ejabberd lines with explanation.
std::string xmpp_snippets(const settings::XmppNetwork& xmpp, std::string_view secret);

// As a double-quoted YAML scalar; any bytes are safe.
std::string yaml_quoted(std::string_view text);

// Every character that means something in a regular expression is escaped.
std::string regex_escaped(std::string_view text);

}  // namespace fedgate::cli
