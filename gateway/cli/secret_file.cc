#include "gateway/cli/secret_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace fedgate::cli {

Result<std::string> read_secret(const settings::Secret& secret) {
  struct stat found {};
  if (::stat(secret.file.c_str(), &found) != 0) return make_error(ErrorKind::kNotFound, secret.file.string() + ": " + std::strerror(errno));
  if ((found.st_mode & 077) != 0) return make_error(ErrorKind::kForbidden, secret.file.string() + ": others may read it; chmod 600");
  std::ifstream in(secret.file, std::ios::binary);
  std::string text(4097, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > 4096) return make_error(ErrorKind::kLimit, secret.file.string() + ": a secret has at most 4096 bytes");
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.empty()) return make_error(ErrorKind::kInvalid, secret.file.string() + ": empty or not readable");
  return text;
}

}  // namespace fedgate::cli
