#include "gateway/cli/secret_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace fedgate;

TEST_CASE("secret file: one line of a private file, everything else is refused") {
  std::filesystem::path file = "/tmp/fedgate-secret-" + std::to_string(::getpid());
  auto read = [&](const std::string& content, mode_t mode) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
    ::chmod(file.c_str(), mode);
    return cli::read_secret({file});
  };
  CHECK(read("geheim\r\n", 0600).value() == "geheim");
  CHECK(read("geheim", 0400).value() == "geheim");
  std::filesystem::remove(file);
  CHECK(read("geheim\n", 0644).error().kind == ErrorKind::kForbidden);
  CHECK(read("\n", 0600).error().kind == ErrorKind::kInvalid);
  CHECK(read(std::string(5000, 'x'), 0600).error().kind == ErrorKind::kLimit);
  std::filesystem::remove(file);
  CHECK(cli::read_secret({file}).error().kind == ErrorKind::kNotFound);
}
