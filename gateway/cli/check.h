// `fedgate check`: what would keep this configuration from working here and now, beyond what the loader finds.
#pragma once

#include <string>
#include <vector>

#include "gateway/settings/settings.h"

namespace fedgate::cli {

struct CheckResult {
  enum class Grade { kOk, kWarn, kFail };
  Grade grade = Grade::kOk;
  std::string what, where, todo;
};

// Folder, secrets, clock, core, and whether each network's server is there and knows us. Blocking, at most some seconds per network; changes nothing.
std::vector<CheckResult> check_surroundings(const settings::Settings& settings);

std::string check_text(const std::vector<CheckResult>& results);
bool has_failure(const std::vector<CheckResult>& results);

}  // namespace fedgate::cli
