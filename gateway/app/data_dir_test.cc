#include "gateway/app/data_dir.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>

using fedgate::app::DataDir;

TEST_CASE("data folder: is made private and belongs to one core at a time") {
  std::filesystem::path folder = "/tmp/fedgate-data-" + std::to_string(::getpid());
  std::filesystem::remove_all(folder);
  {
    auto first = DataDir::open(folder / "deep" / "data");
    REQUIRE(first);
    struct stat found {};
    REQUIRE(::stat((folder / "deep" / "data").c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0700);
    auto second = DataDir::open(folder / "deep" / "data");
    REQUIRE_FALSE(second);
    CHECK(second.error().kind == fedgate::ErrorKind::kConflict);
  }
  CHECK(DataDir::open(folder / "deep" / "data"));
  CHECK_FALSE(DataDir::open("/proc/fedgate/data"));
  std::filesystem::remove_all(folder);
}
