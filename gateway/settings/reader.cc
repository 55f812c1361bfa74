#include "gateway/settings/reader.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

namespace fedgate::settings {

using nlohmann::json;

namespace {

bool is_host_port(std::string_view text) {
  std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 >= text.size() || text.size() - colon > 6) return false;
  unsigned port = 0;
  for (char c : text.substr(colon + 1)) {
    if (c < '0' || c > '9') return false;
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  std::string_view host = text.substr(0, colon);
  bool bracketed = host.front() == '[' && host.back() == ']';
  return port >= 1 && port <= 65535 && (bracketed || host.find(':') == std::string_view::npos) && host.find_first_of(" /@") == std::string_view::npos;
}

}  // namespace

void Reader::say(const std::string& path, std::string problem) {
  findings_.push_back({file_.string(), document_.line(path), path, std::move(problem)});
}

bool Reader::only(const json& object, const std::string& path, std::initializer_list<std::string_view> keys) {
  if (!object.is_object()) return say(path, "must be an object"), false;
  for (const auto& [key, value] : object.items()) {
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    say(child_pointer(path, key), unknown_key_words(key, {keys.begin(), keys.size()}));
  }
  return true;
}

const json* Reader::need(const json& object, const std::string& path, const char* key) {
  auto found = object.find(key);
  if (found != object.end()) return &*found;
  say(path, std::string("\"") + key + "\" is missing");
  return nullptr;
}

std::string Reader::text(const json& object, const std::string& path, const char* key) {
  const json* value = need(object, path, key);
  if (value == nullptr) return {};
  if (value->is_string() && !value->get_ref<const std::string&>().empty()) return value->get<std::string>();
  say(child_pointer(path, key), "must be a text that is not empty");
  return {};
}

std::uint64_t Reader::number(const json& object, const std::string& path, const char* key, std::uint64_t otherwise, std::uint64_t min, std::uint64_t max) {
  auto found = object.find(key);
  if (found == object.end()) return otherwise;
  if (found->is_number_unsigned() && found->get<std::uint64_t>() >= min && found->get<std::uint64_t>() <= max) return found->get<std::uint64_t>();
  say(child_pointer(path, key), "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  return otherwise;
}

std::string Reader::host_port(const json& object, const std::string& path, const char* key) {
  std::string value = text(object, path, key);
  if (!value.empty() && !is_host_port(value)) say(child_pointer(path, key), "\"" + value + "\" must be host:port, e.g. \"127.0.0.1:8008\"");
  return value;
}

std::string Reader::endpoint(const json& object, const std::string& path, const char* key, bool tcp_allowed) {
  std::string value = text(object, path, key);
  if (value.empty()) return value;
  if (value.starts_with("unix:") && value.size() > 5) {
    std::string socket = absolute(value.substr(5)).string();
    if (socket.size() > 100) say(child_pointer(path, key), "the socket's path is longer than the 100 bytes that a unix socket may have: choose a shorter one");
    return "unix:" + socket;
  }
  if (!tcp_allowed || !is_host_port(value))
    say(child_pointer(path, key), "\"" + value + "\" must be \"unix:PATH\"" + (tcp_allowed ? " or host:port" : ""));
  return value;
}

std::filesystem::path Reader::absolute(const std::string& relative) const {
  return (file_.parent_path() / relative).lexically_normal();
}

Secret Reader::secret(const json& object, const std::string& path, const char* key) {
  const json* value = need(object, path, key);
  std::string at = child_pointer(path, key);
  if (value == nullptr) return {};
  if (value->is_string()) return say(at, "a secret never stands in the configuration: write {\"file\": \"PATH\"}, with the secret in that file, mode 0600"), Secret{};
  if (!only(*value, at, {"file"})) return {};
  std::string name = text(*value, at, "file");
  if (name.empty()) return {};
  Secret out{absolute(name)};
  struct stat status{};
  std::string file_path = child_pointer(at, "file");
  if (::stat(out.file.c_str(), &status) != 0) say(file_path, "cannot read " + out.file.string() + ": " + std::strerror(errno));
  else if (!S_ISREG(status.st_mode)) say(file_path, out.file.string() + " is not a file");
  else if ((status.st_mode & 0077) != 0) say(file_path, out.file.string() + " can be read by others: chmod 600 it, and change the secret if others had access");
  else if (status.st_size == 0) say(file_path, out.file.string() + " is empty");
  return out;
}

}  // namespace fedgate::settings
