// The folder that holds everything fedgate must not lose: made with mode 0700, and locked, so that no second core ever writes there.
#pragma once

#include <filesystem>

#include "gateway/base/result.h"

namespace fedgate::app {

// Held while it lives; the system releases it when the process dies, however it dies.
class DataDir {
 public:
  static Result<DataDir> open(const std::filesystem::path& folder);
  DataDir(DataDir&& other) noexcept;
  DataDir& operator=(DataDir&&) = delete;
  ~DataDir();

 private:
  explicit DataDir(int lock) : lock_(lock) {}
  int lock_;
};

}  // namespace fedgate::app
