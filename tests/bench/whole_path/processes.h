// Processes: fedgate-core, fedgate-matrix and fedgate-xmpp of this build with a configuration of their own, and what they cost.
//
// Owned by one measurement; ends its children, by pid, when it goes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace fedgate::bench {

class Processes {
 public:
  explicit Processes(std::filesystem::path folder);
  ~Processes();

  // `settings` is the configuration file; relative paths in it are relative to the folder. `secrets`: file name to content.
  void write(const nlohmann::json& settings, const std::map<std::string, std::string>& secrets);
  // Beside the running program.
  void start(const std::vector<std::string>& programs);
  void stop();
  // The end of each one's log.
  std::string logs() const;

  std::map<std::string, double> cpu_seconds() const;
  const std::filesystem::path& folder() const { return folder_; }

 private:
  struct Child {
    std::string program;
    pid_t pid;
  };
  std::filesystem::path folder_;
  std::vector<Child> children_;
};

}  // namespace fedgate::bench
