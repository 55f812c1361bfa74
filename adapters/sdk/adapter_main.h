// The frame of every adapter program: arguments, configuration, logging, signals, exit codes. `main` of an adapter is one call of run_adapter.
//
// One thread, one io_context. Exit codes: 0 ended by a signal, 1 failed, 64 usage, 78 bad configuration (not to be restarted).
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <nlohmann/json_fwd.hpp>

#include "adapters/sdk/link_client.h"
#include "gateway/base/result.h"

namespace fedgate::sdk {

// What one adapter process gets out of the configuration file: its own networks' objects (named like the adapter), as JSON.
struct AdapterConfig {
  std::filesystem::path file;  // absolute; relative paths in the file are relative to its folder
  std::string gateway;         // this gateway's name
  std::string link;            // "unix:/absolute/path"
  std::string log_level;
  std::map<std::string, std::shared_ptr<const nlohmann::json>> networks;  // by name: the network's "matrix" or "xmpp" object
};

// kInvalid with every finding in words. Checking in depth is `fedgate check`; this reads what the adapter needs.
Result<AdapterConfig> load_adapter_config(const std::filesystem::path& file, const std::string& kind);

// Content of a secret file, trailing line break removed. kForbidden if others than its owner may read it.
Result<std::string> read_secret_file(const std::filesystem::path& file);
// The secret behind {"file": PATH} under `key` of a network's object.
Result<std::string> read_secret(const AdapterConfig& config, const nlohmann::json& network, const std::string& key);

// One running adapter: made after the configuration was read, destroyed before the io_context.
class Adapter {
 public:
  virtual ~Adapter() = default;
  virtual void start() = 0;  // on the io_context's thread, once
  virtual void stop() = 0;   // SIGTERM or SIGINT: let go of sockets; the process ends 2 s later at the latest
};

using MakeAdapter = std::function<Result<std::unique_ptr<Adapter>>(boost::asio::io_context&, const AdapterConfig&)>;

// kind: "matrix", "xmpp". Usage: fedgate-<kind> -c FILE
int run_adapter(int argc, char** argv, const std::string& kind, const MakeAdapter& make);

}  // namespace fedgate::sdk
