// Reads what an adapter needs of the configuration; checking it in depth is the operator's tool's.
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "adapters/sdk/adapter_main.h"
#include "gateway/base/json_document.h"

namespace fedgate::sdk {
namespace {

using nlohmann::json;

std::string text_at(const json& object, const char* key) {
  auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Result<AdapterConfig> load_adapter_config(const std::filesystem::path& given, const std::string& kind) {
  AdapterConfig config;
  config.file = std::filesystem::absolute(given);
  std::ifstream stream(config.file, std::ios::binary);
  if (!stream) return make_error(ErrorKind::kInvalid, config.file.string() + ": cannot be read: " + std::strerror(errno));
  std::ostringstream text;
  text << stream.rdbuf();
  std::vector<Finding> findings;
  JsonDocument document = parse_json_document(text.str(), config.file.string(), JsonComments::kAllowed, findings);
  if (!document.root) return make_error(ErrorKind::kInvalid, findings.front().text());
  const json& root = *document.root;
  auto wrong = [&](const std::string& path, const std::string& what) {
    return make_error(ErrorKind::kInvalid, Finding{config.file.string(), document.line(path), path, what}.text());
  };
  if (!root.is_object() || !root.contains("gateway") || !root.contains("networks") || !root["networks"].is_object())
    return wrong("", "must be an object with \"gateway\" and \"networks\"");
  config.gateway = text_at(root["gateway"], "name");
  std::string link = text_at(root["gateway"], "link");
  if (!link.starts_with("unix:")) return wrong("/gateway/link", "must be \"unix:PATH\"");
  config.link = "unix:" + (config.file.parent_path() / link.substr(5)).lexically_normal().string();
  config.log_level = root.contains("log") ? text_at(root["log"], "level") : "";
  for (const auto& [name, network] : root["networks"].items()) {
    if (text_at(network, "adapter") != kind) continue;
    if (!network.contains(kind) || !network[kind].is_object()) return wrong("/networks/" + name, "\"" + kind + "\" is missing");
    config.networks[name] = std::make_shared<const json>(network[kind]);
  }
  if (config.networks.empty()) return wrong("/networks", "no network has the adapter \"" + kind + "\": this program has nothing to do");
  return config;
}

Result<std::string> read_secret_file(const std::filesystem::path& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return make_error(ErrorKind::kInvalid, "secret " + file.string() + ": " + std::strerror(errno));
  if ((status.st_mode & 0077) != 0) return make_error(ErrorKind::kForbidden, "secret " + file.string() + " can be read by others: chmod 600 it");
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  std::string secret = text.str();
  while (secret.ends_with('\n') || secret.ends_with('\r')) secret.pop_back();
  if (!stream || secret.empty()) return make_error(ErrorKind::kInvalid, "secret " + file.string() + " is empty or cannot be read");
  return secret;
}

Result<std::string> read_secret(const AdapterConfig& config, const json& network, const std::string& key) {
  std::string name = network.contains(key) ? text_at(network[key], "file") : "";
  if (name.empty()) return make_error(ErrorKind::kInvalid, config.file.string() + ": \"" + key + "\" must be {\"file\": PATH}");
  return read_secret_file((config.file.parent_path() / name).lexically_normal());
}

}  // namespace fedgate::sdk
