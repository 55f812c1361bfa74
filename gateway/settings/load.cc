#include "gateway/settings/load.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "gateway/base/ghost_name.h"
#include "gateway/policy/load.h"
#include "gateway/settings/reader.h"

namespace fedgate::settings {
namespace {

using nlohmann::json;

constexpr std::uintmax_t kFileBytesMax = 4u << 20;

// The finding stands where the file is named: `where`, or the file itself.
std::optional<std::string> read_file(const std::filesystem::path& file, std::vector<Finding>& findings, const Finding* where = nullptr) {
  auto say = [&](const std::string& problem) {
    Finding finding = where != nullptr ? *where : Finding{file.string(), 0, "", ""};
    finding.problem = where != nullptr ? file.string() + " " + problem : problem;
    findings.push_back(std::move(finding));
  };
  std::error_code error;
  auto size = std::filesystem::file_size(file, error);
  std::ifstream stream(file, std::ios::binary);
  if (error || !stream) {
    say(std::string("cannot be read: ") + (error ? error.message() : std::strerror(errno)));
    return std::nullopt;
  }
  if (size > kFileBytesMax) {
    say("is larger than 4 MiB: this is no configuration");
    return std::nullopt;
  }
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

class Loader {
 public:
  Loader(Reader& reader, const json& root, Settings& out) : reader_(reader), root_(root), out_(out) {}

  void load() {
    if (!reader_.only(root_, "", {"gateway", "store", "networks", "links", "policy", "limits", "log"})) return;
    if (const json* gateway = reader_.need(root_, "", "gateway")) load_gateway(*gateway);
    if (root_.contains("store") && reader_.only(root_["store"], "/store", {"kind"}) && reader_.text(root_["store"], "/store", "kind") != "sqlite")
      reader_.say("/store/kind", "must be \"sqlite\", the only store of this version");
    if (const json* networks = reader_.need(root_, "", "networks")) load_networks(*networks);
    if (root_.contains("links")) load_links(root_["links"]);
    if (std::string policy = reader_.text(root_, "", "policy"); !policy.empty()) out_.policy = reader_.absolute(policy);
    if (root_.contains("limits")) load_limits(root_["limits"]);
    if (root_.contains("log")) load_log(root_["log"]);
  }

 private:
  void load_gateway(const json& gateway) {
    const std::string path = "/gateway";
    if (!reader_.only(gateway, path, {"name", "data_dir", "link", "admin", "metrics"})) return;
    out_.gateway = reader_.text(gateway, path, "name");
    if (!out_.gateway.empty() && !is_network_name(out_.gateway)) reader_.say("/gateway/name", "must be a lower-case letter, then letters, digits or \"-\", 31 in all");
    if (std::string folder = reader_.text(gateway, path, "data_dir"); !folder.empty()) out_.data_dir = reader_.absolute(folder);
    // Over TCP the link would need client certificates, which this version does not read.
    out_.link = reader_.endpoint(gateway, path, "link", false);
    out_.admin = reader_.endpoint(gateway, path, "admin", false);
    out_.metrics = reader_.host_port(gateway, path, "metrics");
    if (!out_.link.empty() && out_.link == out_.admin) reader_.say("/gateway/admin", "is the same socket as gateway.link: give each its own");
  }

  void load_networks(const json& networks) {
    if (!networks.is_object() || networks.empty()) return reader_.say("/networks", "must be an object with at least one network");
    std::set<std::string> namespaces;
    std::set<std::string> listeners;
    for (const auto& [name, body] : networks.items()) {
      std::string path = child_pointer("/networks", name);
      if (!is_network_name(name)) reader_.say(path, "the network's name must be a lower-case letter, then letters, digits or \"-\", 31 in all");
      if (!reader_.only(body, path, {"adapter", "realm", "domains", "protection", "default_level", "matrix", "xmpp"})) continue;
      Network network;
      network.name = name;
      load_network(body, path, network);
      std::string space = network.matrix ? "matrix " + network.matrix->domain : network.xmpp ? "xmpp " + network.xmpp->component : "";
      if (!space.empty() && !namespaces.insert(space).second)
        reader_.say(path, "another network has the same namespace (" + space + "): two networks cannot own the same ghosts");
      if (network.matrix && !listeners.insert(network.matrix->listen).second)
        reader_.say(child_pointer(path, "matrix") + "/listen", "another network listens on " + network.matrix->listen + ": choose another port");
      out_.networks.emplace(name, std::move(network));
    }
  }

  void load_network(const json& body, const std::string& path, Network& network) {
    network.adapter = reader_.text(body, path, "adapter");
    network.realm = reader_.text(body, path, "realm");
    if (body.contains("domains")) load_domains(body["domains"], child_pointer(path, "domains"), network);
    std::string protection = reader_.text(body, path, "protection");
    bool known = false;
    for (auto value : {model::Protection::kNone, model::Protection::kTls, model::Protection::kE2eToGateway, model::Protection::kVsApproved})
      if (model::to_text(value) == protection) known = true, network.protection = value;
    if (!known && !protection.empty()) reader_.say(child_pointer(path, "protection"), "\"" + protection + "\" must be none, tls, e2e-to-gateway or vs-approved");
    network.default_level = level(body, path);
    if (network.adapter == "email" || network.adapter == "threema")
      return reader_.say(child_pointer(path, "adapter"), "the adapter \"" + network.adapter + "\" is not available in this version");
    if (network.adapter != "matrix" && network.adapter != "xmpp") {
      if (!network.adapter.empty()) reader_.say(child_pointer(path, "adapter"), "\"" + network.adapter + "\" is no adapter: use matrix or xmpp");
      return;
    }
    const char* other = network.adapter == "matrix" ? "xmpp" : "matrix";
    if (body.contains(other)) reader_.say(child_pointer(path, other), "does not belong to a network with the adapter \"" + network.adapter + "\"");
    const json* own = reader_.need(body, path, network.adapter.c_str());
    if (own == nullptr) return;
    if (network.adapter == "matrix") load_matrix(*own, child_pointer(path, "matrix"), network);
    else load_xmpp(*own, child_pointer(path, "xmpp"), network);
  }

  void load_domains(const json& domains, const std::string& path, Network& network) {
    if (!domains.is_object()) return reader_.say(path, "must be an object of domain: realm");
    for (const auto& [domain, realm] : domains.items()) {
      std::string at = child_pointer(path, domain);
      std::string_view plain = domain;
      if (plain.starts_with("*.")) plain.remove_prefix(2);
      bool proper = !plain.empty() && plain.find_first_of("* /@") == std::string_view::npos && std::none_of(plain.begin(), plain.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
      if (!proper) reader_.say(at, "\"" + domain + "\" must be a lower-case domain, or \"*.\" and a suffix");
      if (!realm.is_string() || realm.get_ref<const std::string&>().empty()) reader_.say(at, "must name a realm of the policy");
      else network.domains.emplace_back(domain, realm.get<std::string>());
    }
  }

  std::optional<model::Rank> level(const json& body, const std::string& path) {
    if (!body.contains("default_level")) return std::nullopt;
    std::string name = reader_.text(body, path, "default_level");
    auto rank = model::rank_from_text(name);
    if (!rank && !name.empty())
      reader_.say(child_pointer(path, "default_level"), "\"" + name + "\" must be OPEN, INTERNAL, RESTRICTED, CONFIDENTIAL, SECRET or TOPSECRET");
    return rank;
  }

  void load_matrix(const json& own, const std::string& path, Network& network) {
    if (!reader_.only(own, path, {"domain", "homeserver", "listen", "as_token", "hs_token", "bot"})) return;
    MatrixNetwork matrix{reader_.text(own, path, "domain"),           reader_.text(own, path, "homeserver"),       reader_.host_port(own, path, "listen"),
                         reader_.secret(own, path, "as_token"), reader_.secret(own, path, "hs_token"), reader_.text(own, path, "bot")};
    if (!matrix.homeserver.empty() && !matrix.homeserver.starts_with("http://") && !matrix.homeserver.starts_with("https://"))
      reader_.say(child_pointer(path, "homeserver"), "must be a URL that begins with https:// or http://");
    while (matrix.homeserver.ends_with('/')) matrix.homeserver.pop_back();
    if (matrix.bot.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") != std::string::npos)
      reader_.say(child_pointer(path, "bot"), "must be made of a-z 0-9 . _ - only");
    if (!matrix.as_token.file.empty() && matrix.as_token.file == matrix.hs_token.file)
      reader_.say(child_pointer(path, "hs_token"), "is the same file as as_token: the two secrets must differ");
    network.matrix = std::move(matrix);
  }

  void load_xmpp(const json& own, const std::string& path, Network& network) {
    if (!reader_.only(own, path, {"component", "server", "server_domain", "secret", "nick"})) return;
    network.xmpp = XmppNetwork{reader_.text(own, path, "component"), reader_.host_port(own, path, "server"), reader_.text(own, path, "server_domain"),
                               reader_.secret(own, path, "secret"), reader_.text(own, path, "nick")};
    if (!network.xmpp->component.empty() && network.xmpp->component == network.xmpp->server_domain)
      reader_.say(child_pointer(path, "component"), "is the server's own domain: the component needs one of its own, e.g. \"fedgate." + network.xmpp->server_domain + "\"");
  }

  void load_links(const json& links) {
    if (!links.is_array()) return reader_.say("/links", "must be a list of links");
    std::set<std::string> ids;
    std::set<std::pair<std::string, std::string>> rooms;
    for (std::size_t i = 0; i < links.size(); ++i) {
      std::string path = child_pointer("/links", std::to_string(i));
      if (!reader_.only(links[i], path, {"id", "rooms"})) continue;
      Link link{reader_.text(links[i], path, "id"), {}};
      if (!ids.insert(link.id).second) reader_.say(path + "/id", "a second link with the id \"" + link.id + "\"");
      const json* list = reader_.need(links[i], path, "rooms");
      if (list == nullptr) continue;
      if (!list->is_array() || list->size() < 2) {
        reader_.say(path + "/rooms", "must be a list of at least two rooms");
        continue;
      }
      for (std::size_t j = 0; j < list->size(); ++j) load_end((*list)[j], child_pointer(path + "/rooms", std::to_string(j)), link, rooms);
      out_.links.push_back(std::move(link));
    }
  }

  void load_end(const json& body, const std::string& path, Link& link, std::set<std::pair<std::string, std::string>>& rooms) {
    if (!reader_.only(body, path, {"network", "room", "default_level"})) return;
    LinkEnd end{reader_.text(body, path, "network"), reader_.text(body, path, "room"), level(body, path)};
    if (!end.network.empty() && out_.network(end.network) == nullptr) reader_.say(path + "/network", "there is no network \"" + end.network + "\"");
    if (!rooms.insert({end.network, end.room}).second) reader_.say(path + "/room", "this room is in a link already: a room belongs to one link");
    link.rooms.push_back(std::move(end));
  }

  void load_limits(const json& limits) {
    const std::string path = "/limits";
    if (!reader_.only(limits, path, {"text_bytes_max", "queue_per_network_max", "delivery_ttl_s", "delayed_notice_s", "retry_s_max", "retention_days", "submit_credit"})) return;
    auto number = [&](const char* key, auto& field, std::uint64_t min, std::uint64_t max) {
      field = static_cast<std::remove_reference_t<decltype(field)>>(reader_.number(limits, path, key, field, min, max));
    };
    number("text_bytes_max", out_.limits.text_bytes_max, 1024, 4u << 20);
    number("queue_per_network_max", out_.limits.queue_per_network_max, 1, 100'000'000);
    number("delivery_ttl_s", out_.limits.delivery_ttl_s, 1, 30 * 86400);
    number("delayed_notice_s", out_.limits.delayed_notice_s, 1, 86400);
    number("retry_s_max", out_.limits.retry_s_max, 1, 3600);
    number("retention_days", out_.limits.retention_days, 1, 3650);
    number("submit_credit", out_.limits.submit_credit, 1, 1'000'000);
  }

  void load_log(const json& log) {
    if (!reader_.only(log, "/log", {"level"}) || !log.contains("level")) return;
    out_.log_level = reader_.text(log, "/log", "level");
    for (const char* known : {"debug", "info", "warn", "error", ""})
      if (out_.log_level == known) return;
    reader_.say("/log/level", "\"" + out_.log_level + "\" must be debug, info, warn or error");
  }

  Reader& reader_;
  const json& root_;
  Settings& out_;
};

void check_realms(const Settings& settings, const policy::Policy& policy, Reader& reader) {
  for (const auto& [name, network] : settings.networks) {
    std::string path = child_pointer("/networks", name);
    auto check = [&](const std::string& realm, const std::string& at) {
      if (!realm.empty() && policy.realm(realm) == policy::kUnknownRealm)
        reader.say(at, "the policy " + policy.name() + " knows no realm \"" + realm + "\": add it there, or use one that it has");
    };
    check(network.realm, child_pointer(path, "realm"));
    for (const auto& [domain, realm] : network.domains) check(realm, child_pointer(child_pointer(path, "domains"), domain));
  }
}

}  // namespace

LoadResult load(const std::filesystem::path& given) {
  LoadResult result;
  std::filesystem::path file = std::filesystem::absolute(given);
  auto text = read_file(file, result.findings);
  if (!text) return result;
  JsonDocument document = parse_json_document(*text, file.string(), JsonComments::kAllowed, result.findings);
  if (!document.root) return result;
  auto settings = std::make_shared<Settings>();
  settings->file = file;
  Reader reader(document, file, result.findings);
  Loader(reader, *document.root, *settings).load();
  bool configuration_ok = result.findings.empty();
  Finding at_policy{file.string(), document.line("/policy"), "/policy", ""};
  if (!settings->policy.empty())
    if (auto policy_text = read_file(settings->policy, result.findings, &at_policy))
      result.policy = policy::parse_policy(*policy_text, settings->policy.string(), result.findings);
  if (result.policy) {
    std::size_t before = result.findings.size();
    check_realms(*settings, *result.policy, reader);
    configuration_ok = configuration_ok && result.findings.size() == before;
  }
  if (configuration_ok) result.settings = settings;
  if (!result.findings.empty()) result.policy = nullptr;
  return result;
}

}  // namespace fedgate::settings
