#include <doctest/doctest.h>

#include "gateway/settings/settings.h"

namespace fedgate::settings {
namespace {

Network matrix() {
  Network network{.name = "bund", .adapter = "matrix", .realm = "de-fed"};
  network.domains = {{"*.example", "wide"}, {"*.land.example", "de-state"}, {"sub.land.example", "special"}};
  network.matrix = MatrixNetwork{.domain = "bund.test"};
  return network;
}

TEST_CASE("realms: the longest match wins, exact before suffix, own domain last, everything else is unknown") {
  Network network = matrix();
  CHECK(realm_of(network, "@a:bund.test") == "de-fed");
  CHECK(realm_of(network, "@a:x.land.example") == "de-state");
  CHECK(realm_of(network, "@a:sub.land.example") == "special");
  CHECK(realm_of(network, "@a:land.example") == "wide");
  CHECK(realm_of(network, "@a:other.test") == "unknown");
  CHECK(realm_of(network, "@a:notbund.test") == "unknown");
  CHECK(realm_of(network, "nonsense") == "unknown");
  CHECK(realm_of(network, "@a:evil.test:bund.test") == "unknown");  // the domain is everything behind the first colon
}

TEST_CASE("realms: a JID's domain is between @ and /") {
  Network network{.name = "bpol", .adapter = "xmpp", .realm = "police"};
  network.xmpp = XmppNetwork{.server_domain = "polizei.test"};
  CHECK(realm_of(network, "anna@polizei.test") == "police");
  CHECK(realm_of(network, "evil.test/x@polizei.test") == "unknown");
  CHECK(realm_of(network, "polizei.test") == "police");
}

}  // namespace
}  // namespace fedgate::settings
