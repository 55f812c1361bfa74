#include "gateway/app/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace fedgate::app {

Result<DataDir> DataDir::open(const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder.parent_path(), failed);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return make_error(ErrorKind::kUnavailable, "gateway.data_dir: cannot make " + folder.string() + ": " + std::strerror(errno));
  struct stat found {};
  if (::stat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode))
    return make_error(ErrorKind::kInvalid, "gateway.data_dir: " + folder.string() + " is no folder");
  if ((found.st_mode & 077) != 0 && ::chmod(folder.c_str(), 0700) != 0)
    return make_error(ErrorKind::kForbidden, "gateway.data_dir: " + folder.string() + " is open to others and belongs to somebody else");
  int lock = ::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0) return make_error(ErrorKind::kUnavailable, "gateway.data_dir: cannot write in " + folder.string() + ": " + std::strerror(errno));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return make_error(ErrorKind::kConflict, "gateway.data_dir: another core works in " + folder.string());
  }
  return DataDir(lock);
}

DataDir::DataDir(DataDir&& other) noexcept : lock_(std::exchange(other.lock_, -1)) {}
DataDir::~DataDir() {
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace fedgate::app
