// Loads fedgate's configuration and its policy, and says everything that is wrong with them at once.
//
// JSON with comments; an unknown or duplicate key is a finding. Relative paths are relative to the file. Nothing is started, connected or written. The keys are those of
// config/fedgate.example.json.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "gateway/base/json_document.h"
#include "gateway/policy/policy.h"
#include "gateway/settings/settings.h"

namespace fedgate::settings {

struct LoadResult {
  std::shared_ptr<const Settings> settings;      // null when the configuration has findings
  std::shared_ptr<const policy::Policy> policy;  // null when the configuration or the policy has findings
  std::vector<Finding> findings;
};

LoadResult load(const std::filesystem::path& file);

}  // namespace fedgate::settings
