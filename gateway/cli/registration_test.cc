#include "gateway/cli/registration.h"

#include <doctest/doctest.h>

using namespace fedgate;

TEST_CASE("registration: the Matrix file is what a homeserver expects") {
  settings::MatrixNetwork matrix;
  matrix.domain = "bund.example";
  matrix.listen = "127.0.0.1:29328";
  matrix.bot = "fedgate";
  CHECK(cli::matrix_registration("bund", matrix, "as-1", "hs-1") ==
        R"(id: "fedgate-bund"
url: "http://127.0.0.1:29328"
as_token: "as-1"
hs_token: "hs-1"
sender_localpart: "fedgate"
rate_limited: false
receive_ephemeral: false
protocols: []
namespaces:
  users:
    - exclusive: true
      regex: "@_fedgate_.*:bund\\.example$"
  aliases:
    - exclusive: true
      regex: "#_fedgate_.*:bund\\.example$"
  rooms: []
)");
}

TEST_CASE("registration: YAML strings cannot be broken out of") {
  CHECK(cli::yaml_quoted("a\"b\\c\nd\x7f") == "\"a\\\"b\\\\c\\x0ad\\x7f\"");
  CHECK(cli::yaml_quoted("yes: #no") == "\"yes: #no\"");
  CHECK(cli::yaml_quoted("\xff") == "\"\uFFFD\"");
}

TEST_CASE("registration: everything special in a domain is escaped") {
  CHECK(cli::regex_escaped("a.b-c.[x]+(y)") == R"(a\.b-c\.\[x\]\+\(y\))");
}

TEST_CASE("registration: the XMPP lines name component, port and secret for both servers") {
  settings::XmppNetwork xmpp;
  xmpp.component = "fedgate.polizei.example";
  xmpp.server = "127.0.0.1:5347";
  auto text = cli::xmpp_snippets(xmpp, "geheim");
  CHECK(text.find("Component \"fedgate.polizei.example\"\n    component_secret = \"geheim\"") != std::string::npos);
  CHECK(text.find("      \"fedgate.polizei.example\":\n        password: \"geheim\"") != std::string::npos);
  CHECK(text.find("port: 5347") != std::string::npos);
}
