// Reads typed members of a JSON object and collects findings with line and path. Lives only while a configuration is loaded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "gateway/base/json_document.h"
#include "gateway/settings/settings.h"

namespace fedgate::settings {

class Reader {
 public:
  Reader(const JsonDocument& document, std::filesystem::path file, std::vector<Finding>& findings)
      : document_(document), file_(std::move(file)), findings_(findings) {}

  void say(const std::string& path, std::string problem);
  // Unknown keys become findings; false if it is no object.
  bool only(const nlohmann::json& object, const std::string& path, std::initializer_list<std::string_view> keys);
  const nlohmann::json* need(const nlohmann::json& object, const std::string& path, const char* key);
  std::string text(const nlohmann::json& object, const std::string& path, const char* key);
  std::uint64_t number(const nlohmann::json& object, const std::string& path, const char* key, std::uint64_t otherwise, std::uint64_t min, std::uint64_t max);
  // "host:port" with a port from 1 to 65535; IPv6 in brackets.
  std::string host_port(const nlohmann::json& object, const std::string& path, const char* key);
  // "unix:PATH", made absolute; host:port too where allowed.
  std::string endpoint(const nlohmann::json& object, const std::string& path, const char* key, bool tcp_allowed);
  std::filesystem::path absolute(const std::string& relative) const;
  // {"file": PATH}: exists, is not empty, and nobody but its owner may read it.
  Secret secret(const nlohmann::json& object, const std::string& path, const char* key);

 private:
  const JsonDocument& document_;
  std::filesystem::path file_;
  std::vector<Finding>& findings_;
};

}  // namespace fedgate::settings
