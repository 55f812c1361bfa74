// `fedgate up`: core and adapters of one configuration as children of this process, until SIGTERM or SIGINT.
#pragma once

#include <filesystem>

#include "gateway/settings/settings.h"

namespace fedgate::cli {

// Runs until it is told to stop (0), a child says that the configuration is wrong (78), or a program is missing (1). Prints "ready" once on standard output.
// `programs` is the folder that holds fedgate-core and the adapters.
int up(const settings::Settings& settings, const std::filesystem::path& programs);

}  // namespace fedgate::cli
