// A secret as a file holds it, without the line end. kForbidden if others may read the file.
#pragma once

#include <string>

#include "gateway/base/result.h"
#include "gateway/settings/settings.h"

namespace fedgate::cli {

Result<std::string> read_secret(const settings::Secret& secret);

}  // namespace fedgate::cli
